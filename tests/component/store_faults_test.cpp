// What happens to the store when something breaks (rows 25 to 30 of the fault matrix), on both engines where it can.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <thread>

#include "collector/store.h"
#include "core/error.h"
#include "core/migrations.h"
#include "core/sqlite.h"
#include "tests/support/in_process.h"
#include "tests/support/relay.h"
#include "tests/support/store_engines.h"

namespace gpuassay {
namespace {

using test::made_up_run;

class StoreFaults : public test::OnEachEngine {};

/// Runs for ever on both engines, within one statement.
constexpr std::string_view kEndless =
    "CREATE TABLE second AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i > 0) "
    "SELECT MAX(i) AS i FROM n";
constexpr std::array<std::string_view, 2> kKilledInTheMiddle{"CREATE TABLE first (i BIGINT)", kEndless};
constexpr std::array<std::string_view, 2> kMigrations{"CREATE TABLE first (i BIGINT)",
                                                      "CREATE TABLE second (i BIGINT)"};

bool has_table(Database& database, const std::string& name) {
  try {
    Statement(database, "SELECT COUNT(*) FROM " + name).step();
    return true;
  } catch (const Error&) {
    return false;
  }
}

bool is_free(Database& database) {
  try {
    const Transaction exclusive(database);
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// Waits until another process has the database for itself.
void wait_until_locked(Database& database) {
  while (is_free(database)) std::this_thread::yield();
}

/// PostgreSQL notices after a second that a client was killed in the middle of a statement.
void wait_until_free(Database& database) {
  for (int attempt = 0; attempt < 100; ++attempt)
    if (is_free(database)) return;
  FAIL() << "the killed program's lock stayed";
}

TEST_P(StoreFaults, AKilledMigrationLeavesTheOldState) {
  const auto database = connect();
  const pid_t child = test::in_process([this] { migrate(*connect(), "test", kKilledInTheMiddle); });
  wait_until_locked(*database);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  wait_until_free(*database);
  EXPECT_FALSE(has_table(*database, "first"));
  EXPECT_FALSE(has_table(*database, "schema_migration"));
  migrate(*database, "test", kMigrations);
  EXPECT_TRUE(has_table(*database, "first") && has_table(*database, "second"));
}

TEST_P(StoreFaults, TwoProgramsMayStartAtOnce) {
  constexpr int kPrograms = 4;
  std::vector<pid_t> children;
  children.reserve(kPrograms);
  DatabaseOptions patient = options();
  patient.lock_time = std::chrono::seconds(30);
  for (int number = 0; number < kPrograms; ++number)
    children.push_back(test::in_process([&] {
      const auto pool = open_collector_database(patient);
      RunStore(*pool).insert(made_up_run(number));
    }));
  for (const pid_t child : children) EXPECT_EQ(test::exit_status(child), 0);
  const auto pool = open();
  EXPECT_EQ(RunStore(*pool).list({}, 100).runs.size(), std::size_t{kPrograms});
}

TEST_P(StoreFaults, EveryAcknowledgedRunOutlivesAKilledProgram) {
  std::array<int, 2> pipe_ends{};
  ASSERT_EQ(::pipe(pipe_ends.data()), 0);
  const pid_t child = test::in_process([&] {
    const auto pool = open();
    RunStore store(*pool);
    for (int number = 0;; ++number) {
      store.insert(made_up_run(number));
      if (::write(pipe_ends[1], &number, sizeof number) != sizeof number) return;
    }
  });
  ::close(pipe_ends[1]);
  int acknowledged = -1;
  for (int number = 0; acknowledged < 50 && ::read(pipe_ends[0], &number, sizeof number) == sizeof number;)
    acknowledged = number;
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  for (int number = 0; ::read(pipe_ends[0], &number, sizeof number) == sizeof number;) acknowledged = number;
  ::close(pipe_ends[0]);
  ASSERT_GE(acknowledged, 50);
  const auto pool = open();
  const RunStore store(*pool);
  for (int number = 0; number <= acknowledged; ++number)
    EXPECT_EQ(store.body(made_up_run(number).run_id), made_up_run(number).body);
}

TEST_P(StoreFaults, ALockedDatabaseIsABoundedWait) {
  const auto pool = open();
  RunStore store(*pool);
  store.insert(made_up_run(1));
  const auto other = connect();
  {
    const Transaction transaction(*other);
    if (on_postgres()) other->execute("LOCK TABLE run IN SHARE MODE");
    EXPECT_THROW(store.insert(made_up_run(2)), Error);
    EXPECT_TRUE(store.body("run-1")) << "reads go on";
  }
  EXPECT_FALSE(store.insert(made_up_run(2)));
}

TEST_P(StoreFaults, AllConnectionsInUseIsABoundedWait) {
  PoolOptions small;
  small.connections = 2;
  small.longest_wait = kShort;
  ConnectionPool pool([this] { return connect(); }, small);
  const auto first = pool.take(ConnectionPool::Access::read);
  {
    const auto second = pool.take(ConnectionPool::Access::read);
    EXPECT_THROW(pool.take(ConnectionPool::Access::read), Error);
  }
  EXPECT_NO_THROW(pool.take(ConnectionPool::Access::read));
}

TEST_P(StoreFaults, AFailedOpeningGivesItsPlaceBack) {
  PoolOptions one;
  one.connections = 2;
  one.longest_wait = kShort;
  int opened = 0;
  ConnectionPool pool(
      [&]() -> std::unique_ptr<Database> {
        if (++opened == 2) throw Error(ErrorCode::database, "no server");
        return connect();
      },
      one);
  const auto first = pool.take(ConnectionPool::Access::read);
  EXPECT_THROW(pool.take(ConnectionPool::Access::read), Error);
  EXPECT_NO_THROW(pool.take(ConnectionPool::Access::read));
}

INSTANTIATE_TEST_SUITE_P(Engines, StoreFaults, testing::Values(test::Engine::sqlite, test::Engine::postgres),
                         test::name_of_engine);

// ---- PostgreSQL alone: its server dies, restarts, or its answers get lost ----

class PostgresFaults : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::PostgresServer::is_installed())
      GTEST_SKIP() << "PostgreSQL is not installed (apt-get install postgresql)";
    direct_.data_dir = through_relay_.data_dir = folder_.path().string();
    direct_.url = test::postgres_server().make_database();
    const std::string name = direct_.url->substr(0, direct_.url->find('?'));
    relay_.emplace(test::postgres_server().socket());
    through_relay_.url = name + "?host=" + relay_->folder().string();
  }

  [[nodiscard]] std::vector<RunColumns> stored() const {
    const auto pool = open_collector_database(direct_);
    return RunStore(*pool).list({}, 100).runs;
  }

  test::ScratchRoot folder_;
  DatabaseOptions direct_, through_relay_;
  std::optional<test::Relay> relay_;
};

TEST_F(PostgresFaults, AnswerToTheCommitIsLost) {
  const auto pool = open_collector_database(through_relay_);
  RunStore store(*pool);
  store.insert(made_up_run(1));
  relay_->lose_answer_with("COMMIT", [] {});
  EXPECT_FALSE(store.insert(made_up_run(2))) << "the try again finds its own row";
  EXPECT_TRUE(relay_->has_lost());
  EXPECT_EQ(stored().size(), 2U);
}

TEST_F(PostgresFaults, ServerIsKilledBetweenCommitAndAnswer) {
  const auto pool = open_collector_database(through_relay_);
  RunStore store(*pool);
  store.insert(made_up_run(1));
  relay_->lose_answer_with("COMMIT", [] { test::postgres_server().kill(); });
  EXPECT_THROW(store.insert(made_up_run(2)), Error);
  EXPECT_TRUE(relay_->has_lost());
  EXPECT_THROW(store.insert(made_up_run(2)), Error) << "while the server is away";
  test::postgres_server().start();
  EXPECT_FALSE(store.insert(made_up_run(2))) << "the retry of the agent, with the same receipt";
  StoredRun retry_of_a_client = made_up_run(2);
  retry_of_a_client.receipt = "signed later";
  EXPECT_EQ(store.insert(retry_of_a_client).value().receipt, made_up_run(2).receipt);
  EXPECT_EQ(stored().size(), 2U);
}

TEST_F(PostgresFaults, AnswerToTheInsertIsLostBeforeTheCommit) {
  const auto pool = open_collector_database(through_relay_);
  RunStore store(*pool);
  relay_->lose_answer_with("INSERT 0 1", [] {});
  EXPECT_FALSE(store.insert(made_up_run(1)));
  EXPECT_TRUE(relay_->has_lost());
  EXPECT_EQ(stored().size(), 1U);
}

TEST_F(PostgresFaults, ARestartedServerIsReconnectedTo) {
  const auto pool = open_collector_database(direct_);
  RunStore store(*pool);
  store.insert(made_up_run(1));
  {  // several idle connections, all of which the restart ends
    const auto one = pool->take(ConnectionPool::Access::read), two = pool->take(ConnectionPool::Access::read);
  }
  test::postgres_server().restart();
  EXPECT_EQ(store.read({}).next().value().run_id, "run-1");
  test::postgres_server().restart();
  EXPECT_EQ(store.body("run-1"), made_up_run(1).body);
  EXPECT_FALSE(store.insert(made_up_run(2)));
}

TEST_F(PostgresFaults, AnExportEndsWithAnErrorWhenTheServerDies) {
  const auto pool = open_collector_database(direct_);
  RunStore store(*pool);
  StoredRun run = made_up_run(0);
  run.body = std::string(1U << 20U, 'x');  // more of them than the sockets can hold
  for (int number = 0; number < 20; ++number) {
    run.run_id = "run-" + std::to_string(number);
    store.insert(run);
  }
  RunReader reader = store.read({});
  ASSERT_TRUE(reader.next());
  test::postgres_server().kill();
  EXPECT_THROW(while (reader.next()){}, Error) << "never a short list that looks whole";
  test::postgres_server().start();
  EXPECT_EQ(store.list({}, 100).runs.size(), 20U);
}

// ---- SQLite alone: the disk is full, the file is damaged ----

/// A file system of `size` for this process alone; false where that is not allowed.
bool mount_small_disk(const std::string& folder, const std::string& size) {
  const uid_t user = ::getuid();
  if (::unshare(CLONE_NEWNS) != 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";
  }
  return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("gpuassay", folder.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
}

/// Fills the store until it refuses, then frees space. Returns what went wrong, or nothing.
std::string fill_the_disk(const std::string& folder) {
  const auto pool = open_collector_database({.data_dir = folder});
  RunStore store(*pool);
  std::ofstream(folder + "/ballast") << std::string(100'000, 'x');
  int stored = 0;
  try {
    for (;; ++stored) {
      StoredRun run = made_up_run(stored);
      run.body = std::string(10'000, 'x');
      store.insert(run);
      if (stored > 10'000) return "the disk never fills";
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::database) return std::string("not a database error: ") + error.what();
  }
  if (stored == 0) return "nothing was stored";
  for (int number = 0; number < stored; ++number)
    if (!store.body(made_up_run(number).run_id)) return "a run cannot be read while the disk is full";
  if (store.body(made_up_run(stored).run_id)) return "a refused run is there";
  std::filesystem::remove(folder + "/ballast");
  if (store.insert(made_up_run(stored))) return "the run was stored before";
  return store.list({}, 100'000).runs.size() == static_cast<std::size_t>(stored) + 1 ? "" : "runs are missing";
}

constexpr int kNotAllowed = 77;

TEST(SqliteFaults, AFullDiskRefusesWritesReadsGoOnAndItRecoversAlone) {
  const test::ScratchRoot folder;
  const pid_t child = test::in_process([&] {
    if (!mount_small_disk(folder.path().string(), "1m")) ::_exit(kNotAllowed);
    const std::string problem = fill_the_disk(folder.path().string());
    std::fputs(problem.c_str(), stderr);
    ::_exit(problem.empty() ? 0 : 1);
  });
  const int status = test::exit_status(child);
  if (status == kNotAllowed) GTEST_SKIP() << "this machine lets no process mount a file system of its own";
  EXPECT_EQ(status, 0);
}

TEST(SqliteFaults, ADamagedPageIsSeenAtTheStartAndNothingIsWritten) {
  const test::ScratchRoot folder;
  const DatabaseOptions options{.data_dir = folder.path().string(), .check_file = true};
  const std::string path = folder.path().string() + "/collector.db";
  {
    const auto pool = open_collector_database(options);
    RunStore store(*pool);
    for (int number = 0; number < 200; ++number) store.insert(made_up_run(number));
  }
  EXPECT_NO_THROW(open_collector_database(options)) << "a sound file";
  const auto content = [&path] {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string sound = content();
  constexpr std::size_t kPage = 4096;
  int noticed = 0, pages = 0;
  for (std::size_t page = 1; page * kPage < sound.size(); ++page, ++pages) {
    std::string damaged = sound;
    // The header of a page: its kind, free space and number of cells. Free pages have none that means anything.
    damaged.replace(page * kPage, 8, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
    std::ofstream(path, std::ios::binary) << damaged;
    try {
      open_collector_database(options);
    } catch (const Error& error) {
      ++noticed;
      EXPECT_EQ(error.code(), ErrorCode::database);
      EXPECT_NE(std::string(error.what()).find("backup"), std::string::npos) << error.what();
      EXPECT_TRUE(content() == damaged) << "written to in spite of the damage";
    }
  }
  EXPECT_EQ(noticed, pages);
  std::ofstream(path, std::ios::binary) << std::string(sound.size(), 'x');
  EXPECT_THROW(open_collector_database(options), Error);
}

TEST(SqliteFaults, RetractedBytesAreNotLeftInTheFile) {
  const test::ScratchRoot folder;
  const std::string path = folder.path().string() + "/collector.db";
  {
    const auto pool = open_collector_database({.data_dir = folder.path().string()});
    RunStore store(*pool);
    StoredRun run = made_up_run(1);
    run.body = "gone-forever-" + std::string(20'000, 'x');
    store.insert(run);
    store.retract(run.run_id, run.agent_key, 1);
  }
  std::ifstream file(path, std::ios::binary);
  const std::string content(std::istreambuf_iterator<char>(file), {});
  EXPECT_NE(content.find("run-1"), std::string::npos);
  EXPECT_EQ(content.find("gone-forever-"), std::string::npos);
}

}  // namespace
}  // namespace gpuassay
