#include "core/sqlite.h"

#include <gtest/gtest.h>

#include <array>

#include "core/error.h"
#include "core/migrations.h"

namespace gpuassay {
namespace {

std::int64_t count_rows(Database& database) {
  Statement query(database, "SELECT COUNT(*) FROM t");
  EXPECT_TRUE(query.step());
  return query.integer(0);
}

TEST(Sqlite, BindsAndReadsEveryType) {
  SqliteDatabase database(":memory:");
  database.execute("CREATE TABLE t (i, r, s, b, n, o)");
  Statement insert(database, "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)");
  insert.bind(1, std::int64_t{1} << 62U).bind(2, 0.1).bind(3, "text'; DROP TABLE t; --");
  insert.bind_blob(4, std::string_view("a\0b", 3)).bind_null(5).bind(6, std::optional<std::string>("x")).run();
  Statement query(database, "SELECT * FROM t");
  ASSERT_TRUE(query.step());
  EXPECT_EQ(query.integer(0), std::int64_t{1} << 62U);
  EXPECT_EQ(query.real(1), 0.1);
  EXPECT_EQ(query.text(2), "text'; DROP TABLE t; --");
  EXPECT_EQ(query.text(3), std::string("a\0b", 3));
  EXPECT_TRUE(query.is_null(4));
  EXPECT_EQ(query.optional_text(4), std::nullopt);
  EXPECT_EQ(query.optional_integer(4), std::nullopt);
  EXPECT_EQ(query.optional_text(5), "x");
  EXPECT_FALSE(query.step());
}

TEST(Sqlite, EmptyTextIsNotNull) {
  SqliteDatabase database(":memory:");
  Statement query(database, "SELECT ?, ?");
  query.bind(1, std::string_view()).bind_blob(2, std::string_view());
  ASSERT_TRUE(query.step());
  EXPECT_FALSE(query.is_null(0));
  EXPECT_FALSE(query.is_null(1));
}

TEST(Sqlite, FailuresCarryTheNativeCode) {
  SqliteDatabase database(":memory:");
  database.execute("CREATE TABLE t (i UNIQUE)");
  database.execute("INSERT INTO t VALUES (1)");
  try {
    database.execute("INSERT INTO t VALUES (1)");
    FAIL() << "a duplicate was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::database);
    EXPECT_EQ(error.native_code(), 2067);  // SQLITE_CONSTRAINT_UNIQUE
    EXPECT_NE(std::string(error.what()).find("UNIQUE"), std::string::npos);
  }
  EXPECT_THROW(Statement(database, "SELEKT 1"), Error);
  EXPECT_THROW(Statement(database, ""), Error);
  EXPECT_THROW(Statement(database, "SELECT 1").bind(1, 1.0), Error);
  EXPECT_THROW(SqliteDatabase("/nonexistent/folder/file.db"), Error);
}

TEST(Sqlite, TransactionRollsBackUnlessCommitted) {
  SqliteDatabase database(":memory:");
  database.execute("CREATE TABLE t (i)");
  {
    Transaction transaction(database);
    database.execute("INSERT INTO t VALUES (1)");
  }
  EXPECT_EQ(count_rows(database), 0);
  {
    Transaction transaction(database);
    database.execute("INSERT INTO t VALUES (1)");
    transaction.commit();
  }
  EXPECT_EQ(count_rows(database), 1);
  EXPECT_EQ(database.changes(), 1);
}

TEST(Sqlite, TransactionRollsBackWhenAnExceptionPasses) {
  SqliteDatabase database(":memory:");
  database.execute("CREATE TABLE t (i)");
  const auto fail = [&database] {
    Transaction transaction(database);
    database.execute("INSERT INTO t VALUES (1)");
    database.execute("nonsense");
  };
  EXPECT_THROW(fail(), Error);
  EXPECT_EQ(count_rows(database), 0);
  Transaction again(database);  // the failed one is not open any more
}

TEST(Migrations, RunOnceAndInOrder) {
  SqliteDatabase database(":memory:");
  constexpr std::array<std::string_view, 1> kFirst{"CREATE TABLE t (i)"};
  constexpr std::array<std::string_view, 2> kBoth{"CREATE TABLE t (i)", "ALTER TABLE t ADD COLUMN j"};
  migrate(database, "test", kFirst);
  migrate(database, "test", kFirst);
  migrate(database, "test", kBoth);
  database.execute("INSERT INTO t (i, j) VALUES (1, 2)");
  migrate(database, "other", std::array<std::string_view, 1>{"CREATE TABLE u (i)"});
  EXPECT_THROW(migrate(database, "test", kFirst), Error);  // written by a newer program
}

TEST(Migrations, FailureLeavesTheOldState) {
  SqliteDatabase database(":memory:");
  constexpr std::array<std::string_view, 2> kBad{"CREATE TABLE t (i)", "nonsense"};
  EXPECT_THROW(migrate(database, "test", kBad), Error);
  EXPECT_THROW(Statement(database, "SELECT * FROM t"), Error);
  migrate(database, "test", std::array<std::string_view, 1>{"CREATE TABLE t (i)"});
  EXPECT_EQ(count_rows(database), 0);
}

}  // namespace
}  // namespace gpuassay
