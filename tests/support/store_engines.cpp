#include "tests/support/store_engines.h"

#include "collector/postgres.h"
#include "core/signature.h"
#include "core/sqlite.h"

namespace gpuassay::test {
namespace {

/// Ends the server with the program.
class ServerOfProgram : public testing::Environment {
 public:
  void TearDown() override { server.reset(); }
  std::unique_ptr<PostgresServer> server;
};

ServerOfProgram& environment() {
  static auto* const kKept = static_cast<ServerOfProgram*>(testing::AddGlobalTestEnvironment(new ServerOfProgram));
  return *kKept;  // GoogleTest owns it
}

}  // namespace

PostgresServer& postgres_server() {
  auto& server = environment().server;
  if (server == nullptr) server = std::make_unique<PostgresServer>();
  return *server;
}

void OnEachEngine::SetUp() {
  if (!on_postgres()) return;
  if (!PostgresServer::is_installed()) GTEST_SKIP() << "PostgreSQL is not installed (apt-get install postgresql)";
  url_ = postgres_server().make_database();
}

DatabaseOptions OnEachEngine::options() const {
  DatabaseOptions options;
  options.data_dir = folder_.path().string();
  options.url = url_;
  options.lock_time = kShort;
  return options;
}

std::unique_ptr<Database> OnEachEngine::connect(std::chrono::milliseconds lock_time) const {
  if (!on_postgres())
    return std::make_unique<SqliteDatabase>(folder_.path().string() + "/collector.db",
                                            SqliteDatabase::Mode::read_write_create,
                                            static_cast<int>(lock_time.count()));
  PostgresOptions postgres;
  postgres.url = *url_;
  postgres.lock_time = lock_time;
  return std::make_unique<PostgresDatabase>(postgres);
}

std::string name_of_engine(const testing::TestParamInfo<Engine>& info) {
  return info.param == Engine::sqlite ? "Sqlite" : "Postgres";
}

StoredRun made_up_run(int number) {
  StoredRun run;
  run.run_id = "run-" + std::to_string(number);
  run.body = "{\"number\":" + std::to_string(number) + "}";
  run.body_sha256 = sha256_hex(run.body);
  run.receipt = "receipt of " + std::to_string(number);
  run.agent_key = "key";
  run.received_at_ms = 1'700'000'000'000 + number;
  run.started_at_ms = 1'600'000'000'000 + number;
  run.provider = "aws";
  run.gpu_model = "Tesla V100";
  run.gpu_count = 1;
  run.score_version = "1.0";
  run.score = 40.5;
  return run;
}

std::string exported(const RunStore& store, const RunFilter& filter) {
  std::string text;
  RunReader reader = store.read(filter);
  while (const auto run = reader.next()) text += run->run_id.substr(4);
  return text;
}

}  // namespace gpuassay::test
