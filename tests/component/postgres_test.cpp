// What only PostgreSQL brings: a library that may be missing, URLs with passwords, a server that does not answer.
#include "collector/postgres.h"

#include <gtest/gtest.h>

#include <csignal>

#include "collector/postgres_url.h"
#include "core/error.h"
#include "tests/support/store_engines.h"

namespace gpuassay {
namespace {

class PostgresTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::PostgresServer::is_installed())
      GTEST_SKIP() << "PostgreSQL is not installed (apt-get install postgresql)";
    options_.url = test::postgres_server().make_database();
  }
  PostgresOptions options_;
};

std::string refusal_of(const std::string& url) {
  try {
    PostgresOptions options;
    options.url = url;
    options.connect_time = std::chrono::seconds(2);
    const PostgresDatabase database(options);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST_F(PostgresTest, NoSecretIsInAnyMessage) {
  const std::string folder = test::postgres_server().folder().string();
  for (const std::string& url : {
           "postgresql://u:Secret1@/nowhere?host=" + folder,
           std::string("postgresql://u:Secret1@/x?host=/nonexistent"),
           std::string("postgresql://u:Secret1@127.0.0.1:1/x"),
           std::string("postgresql://u:Secret1@127.0.0.1:notaport/x"),
           std::string("postgresql://u:Sec@ret1@127.0.0.1/x"),
           std::string("postgresql://u:Sec/Secret1@127.0.0.1/x"),
           std::string("postgresql://u:Secret1%zz@127.0.0.1/x"),
           std::string("postgresql://u@127.0.0.1:1/x?password=Secret1"),
           std::string("postgresql://u@127.0.0.1:1/x?sslpassword=Secret1&nonsense=Secret1"),
           std::string("host=127.0.0.1 password=Secret1"),
           std::string("mysql://u:Secret1@127.0.0.1/x"),
       }) {
    const std::string message = refusal_of(url);
    EXPECT_NE(message, "accepted");
    EXPECT_EQ(message.find("Secret1"), std::string::npos) << message;
    EXPECT_EQ(message.find("ret1"), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

TEST(PostgresUrl, PasswordsAreBlankedInArguments) {
  const auto blanked = [](std::string argument) {
    blank_password(argument.data());
    return argument;
  };
  EXPECT_EQ(blanked("postgresql://user:secret@host/db"), "postgresql://user:xxxxxx@host/db");
  EXPECT_EQ(blanked("--database=postgres://user:se@ret@host"), "--database=postgres://user:xxxxxx@host");
  EXPECT_EQ(blanked("postgresql://user@host/db?password=secret&x=y"), "postgresql://user@host/db?password=xxxxxx&x=y");
  EXPECT_EQ(blanked("postgresql://user@host:5432/db"), "postgresql://user@host:5432/db");
  EXPECT_EQ(blanked("http://user:secret@host"), "http://user:secret@host");
}

TEST(Libpq, AMissingLibraryNamesThePackage) {
  try {
    libpq::load("libpq-of-nobody.so.5");
    FAIL() << "loaded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::library_missing);
    EXPECT_NE(std::string(error.what()).find("apt-get install libpq5"), std::string::npos);
  }
  try {
    libpq::load("libc.so.6");
    FAIL() << "loaded";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("PQconninfoParse"), std::string::npos);
  }
}

TEST_F(PostgresTest, CommitsAreSyncedEvenWhereTheServerWouldNot) {
  {
    PostgresDatabase database(options_);
    database.execute("ALTER ROLE test SET synchronous_commit = off");
  }
  PostgresDatabase database(options_);
  Statement setting(database, "SELECT current_setting('synchronous_commit')");
  ASSERT_TRUE(setting.step());
  EXPECT_EQ(setting.text(0), "on");
  setting.reset();
  database.execute("ALTER ROLE test RESET synchronous_commit");
}

TEST_F(PostgresTest, BodiesArePackedQuickly) {
  PostgresDatabase database(options_);
  Statement methods(database,
                    "SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression'");
  // Then bodies are packed as the server does: slower, and nothing of ours to test.
  if (!methods.step() || methods.integer(0) == 0) GTEST_SKIP() << "this PostgreSQL was built without lz4";
  database.execute("CREATE TABLE body (bytes BYTEA)");
  Statement(database, "INSERT INTO body SELECT convert_to(repeat('0.25,', 20000), 'UTF8')").run();
  Statement packed(database, "SELECT pg_column_compression(bytes), octet_length(bytes) FROM body");
  ASSERT_TRUE(packed.step());
  EXPECT_EQ(packed.text(0), "lz4");
  EXPECT_EQ(packed.integer(1), 100'000);
}

TEST_F(PostgresTest, NoQueryIsCompiled) {
  PostgresDatabase database(options_);
  Statement setting(database, "SELECT current_setting('jit', true)");
  ASSERT_TRUE(setting.step());
  // The setting came with 11; an older server must only be left alone, which the constructor above has shown.
  if (setting.is_null(0)) GTEST_SKIP() << "PostgreSQL before 11 compiles nothing";
  EXPECT_EQ(setting.text(0), "off");
}

TEST_F(PostgresTest, StatementsArePreparedOnce) {
  PostgresDatabase database(options_);
  for (int round = 0; round < 3; ++round) {
    Statement query(database, "SELECT COUNT(*) FROM pg_prepared_statements");
    ASSERT_TRUE(query.step());
    EXPECT_EQ(query.integer(0), 1);
  }
  for (int number = 0; number < 300; ++number) Statement(database, "SELECT " + std::to_string(number)).run();
  Statement query(database, "SELECT COUNT(*) FROM pg_prepared_statements");
  ASSERT_TRUE(query.step());
  EXPECT_LT(query.integer(0), 201) << "bounded";
}

TEST_F(PostgresTest, StatementsForgottenInUseAreDeallocatedLater) {
  PostgresDatabase database(options_);
  for (int round = 0; round < 5; ++round) {
    const Statement in_use(database, "SELECT " + std::to_string(round));
    database.execute("SELECT 1");
  }
  Statement query(database, "SELECT COUNT(*) FROM pg_prepared_statements");
  ASSERT_TRUE(query.step());
  EXPECT_EQ(query.integer(0), 1) << "itself";
}

TEST_F(PostgresTest, ALongStatementIsEndedUnlessItsTransactionMayTakeLong) {
  options_.statement_time = std::chrono::milliseconds(100);
  PostgresDatabase database(options_);
  EXPECT_THROW(Statement(database, "SELECT pg_sleep(30)").run(), Error);
  EXPECT_FALSE(database.is_lost());
  const Transaction snapshot(database, TransactionKind::snapshot);
  EXPECT_NO_THROW(Statement(database, "SELECT pg_sleep(0.3)").run());
}

TEST_F(PostgresTest, AServerThatStopsAnsweringIsABoundedWait) {
  options_.statement_time = std::chrono::milliseconds(100);
  options_.answer_grace = std::chrono::milliseconds(200);
  PostgresDatabase database(options_);
  Statement pid(database, "SELECT pg_backend_pid()");
  ASSERT_TRUE(pid.step());
  const auto server_process = static_cast<pid_t>(pid.integer(0));
  pid.reset();
  ASSERT_EQ(::kill(server_process, SIGSTOP), 0);
  EXPECT_THROW(Statement(database, "SELECT 1"), Error);
  EXPECT_TRUE(database.is_lost());
  EXPECT_THROW(database.execute("SELECT 1"), Error) << "lost stays lost";
  ::kill(server_process, SIGCONT);
}

TEST_F(PostgresTest, ATextWithNulIsRefusedNotCut) {
  PostgresDatabase database(options_);
  Statement query(database, "SELECT CAST(? AS TEXT)");
  EXPECT_THROW(query.bind(1, std::string_view("a\0b", 3)), Error);
}

}  // namespace
}  // namespace gpuassay
