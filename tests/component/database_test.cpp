// The seam core/database.h on both engines: the same calls give the same.
#include "core/database.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/store_engines.h"

namespace gpuassay {
namespace {

class DatabaseTest : public test::OnEachEngine {
 protected:
  static std::int64_t count(Database& database) {
    Statement query(database, "SELECT COUNT(*) FROM t");
    EXPECT_TRUE(query.step());
    return query.integer(0);
  }
};

TEST_P(DatabaseTest, BindsAndReadsEveryType) {
  const auto database = connect();
  database->execute("CREATE TABLE t (i BIGINT, r DOUBLE PRECISION, s TEXT, b BLOB, n TEXT, o TEXT)");
  Statement insert(*database, "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)");
  insert.bind(1, std::int64_t{1} << 62U).bind(2, 0.1).bind(3, "text'; DROP TABLE t; -- \xC3\xA9");
  insert.bind_blob(4, std::string_view("a\0\xFF'\\b", 6)).bind_null(5).bind(6, std::optional<std::string>("x")).run();
  EXPECT_EQ(database->changes(), 1);
  Statement query(*database, "SELECT i, r, s, b, n, o, n IS NULL, o IS NULL FROM t");
  ASSERT_TRUE(query.step());
  EXPECT_EQ(query.integer(0), std::int64_t{1} << 62U);
  EXPECT_EQ(query.real(1), 0.1);
  EXPECT_EQ(query.text(2), "text'; DROP TABLE t; -- \xC3\xA9");
  EXPECT_EQ(query.text(3), std::string("a\0\xFF'\\b", 6));
  EXPECT_TRUE(query.is_null(4));
  EXPECT_EQ(query.text(4), "");
  EXPECT_EQ(query.optional_text(4), std::nullopt);
  EXPECT_EQ(query.optional_real(4), std::nullopt);
  EXPECT_EQ(query.optional_text(5), "x");
  EXPECT_EQ(query.integer(6), 1);
  EXPECT_EQ(query.integer(7), 0);
  EXPECT_FALSE(query.step());
  EXPECT_FALSE(query.step()) << "the end stays the end";
}

TEST_P(DatabaseTest, EmptyTextAndEmptyBytesAreNotNull) {
  const auto database = connect();
  database->execute("CREATE TABLE t (s TEXT NOT NULL, b BLOB NOT NULL)");
  Statement(*database, "INSERT INTO t VALUES (?, ?)").bind(1, std::string_view()).bind_blob(2, {}).run();
  Statement query(*database, "SELECT s, b FROM t");
  ASSERT_TRUE(query.step());
  EXPECT_FALSE(query.is_null(0));
  EXPECT_FALSE(query.is_null(1));
  EXPECT_EQ(query.text(1), "");
}

TEST_P(DatabaseTest, NumberedParametersMayRepeat) {
  const auto database = connect();
  database->execute("CREATE TABLE t (s TEXT, i BIGINT)");
  database->execute("INSERT INTO t VALUES ('a', 1), ('b', 2)");
  Statement query(*database, "SELECT i FROM t WHERE (s = ?1 OR ?1 IS NULL) AND i < ?2 ORDER BY i");
  query.bind(1, std::optional<std::string>()).bind(2, std::int64_t{3});
  EXPECT_TRUE(query.step() && query.step());
  EXPECT_FALSE(query.step());
  query.reset();
  query.bind(1, "b");
  ASSERT_TRUE(query.step());
  EXPECT_EQ(query.integer(0), 2);
}

TEST_P(DatabaseTest, FailuresAreErrorsOfOneLineAndTheConnectionGoesOn) {
  const auto database = connect();
  database->execute("CREATE TABLE t (i BIGINT UNIQUE)");
  database->execute("INSERT INTO t VALUES (1)");
  for (const char* sql : {"INSERT INTO t VALUES (1)", "SELEKT 1", "SELECT 1 FROM nowhere"}) {
    try {
      Statement(*database, sql).run();
      FAIL() << sql;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::database);
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
  }
  EXPECT_THROW(Statement(*database, "").run(), Error);
  EXPECT_EQ(count(*database), 1);
  EXPECT_FALSE(database->is_lost());
}

TEST_P(DatabaseTest, TransactionsAreAllOrNothing) {
  const auto database = connect();
  database->execute("CREATE TABLE t (i BIGINT UNIQUE)");
  for (const auto kind : {TransactionKind::exclusive, TransactionKind::concurrent}) {
    const Transaction transaction(*database, kind);
    database->execute("INSERT INTO t VALUES (1)");
  }
  EXPECT_EQ(count(*database), 0);
  const auto fail = [&] {
    Transaction transaction(*database);
    database->execute("INSERT INTO t VALUES (1)");
    database->execute("INSERT INTO t VALUES (1)");
    transaction.commit();
  };
  EXPECT_THROW(fail(), Error);
  EXPECT_EQ(count(*database), 0);
  Transaction again(*database);  // the failed one is not open any more
  database->execute("INSERT INTO t VALUES (1)");
  again.commit();
  EXPECT_EQ(count(*database), 1);
}

TEST_P(DatabaseTest, TwoExclusiveTransactionsWaitForEachOther) {
  const auto first = connect(), second = connect();
  first->execute("CREATE TABLE t (i BIGINT)");
  {
    const Transaction holding(*first);
    EXPECT_THROW(Transaction(*second, TransactionKind::exclusive), Error) << "a bounded wait";
  }
  const Transaction free_again(*second);
}

TEST_P(DatabaseTest, ASnapshotSeesOneInstant) {
  const auto reader = connect(), writer = connect();
  if (!on_postgres()) reader->execute("PRAGMA journal_mode = WAL");
  writer->execute("CREATE TABLE t (i BIGINT)");
  writer->execute("INSERT INTO t VALUES (1)");
  {
    const Transaction snapshot(*reader, TransactionKind::snapshot);
    EXPECT_EQ(count(*reader), 1);
    writer->execute("INSERT INTO t VALUES (2)");
    EXPECT_EQ(count(*reader), 1);
  }
  EXPECT_EQ(count(*reader), 2);
}

TEST_P(DatabaseTest, StatementsMayInterleave) {
  const auto database = connect();
  database->execute("CREATE TABLE t (i BIGINT)");
  database->execute("INSERT INTO t VALUES (1), (2), (3)");
  Statement outer(*database, "SELECT i FROM t ORDER BY i");
  Statement inner(*database, "SELECT COUNT(*) FROM t WHERE i <= ?");
  for (std::int64_t i = 1; i <= 3; ++i) {
    ASSERT_TRUE(outer.step());
    EXPECT_EQ(outer.integer(0), i);
    ASSERT_TRUE(inner.bind(1, i).step());
    EXPECT_EQ(inner.integer(0), i);
    inner.reset();
  }
  EXPECT_FALSE(outer.step());
}

TEST_P(DatabaseTest, AnAbandonedStreamLeavesTheDatabaseUsable) {
  const auto database = connect();
  database->execute("CREATE TABLE t (i BIGINT)");
  database->execute("INSERT INTO t VALUES (1), (2), (3)");
  {
    Statement few(*database, "SELECT i FROM t");
    ASSERT_TRUE(few.step());
  }
  EXPECT_EQ(count(*database), 3);
  const std::string many = "SELECT a.i FROM t a, t b, t c, t d, t e, t f, t g, t h, t i, t j, t k, t l";  // 531,441
  {
    Statement stream(*database, many);
    ASSERT_TRUE(stream.step());
  }
  if (database->is_lost()) return;  // PostgreSQL: dropping the connection is the way to stop it; the pool makes another
  EXPECT_EQ(count(*database), 3);
}

TEST_P(DatabaseTest, TextsAreOrderedByTheirBytes) {
  if (on_postgres()) url_ = test::postgres_server().make_database("C.UTF-8");
  const auto database = connect();
  database->execute("CREATE TABLE t (s TEXT)");
  database->execute("INSERT INTO t VALUES ('b'), ('A'), ('a'), ('B'), ('_')");
  Statement query(*database, "SELECT s FROM t ORDER BY s");
  std::string order;
  while (query.step()) order += query.text(0);
  EXPECT_EQ(order, "AB_ab");
}

TEST_P(DatabaseTest, TemporaryTablesHideOthersOfTheirName) {
  const auto database = connect();
  database->execute("CREATE TABLE t (i BIGINT)");
  EXPECT_EQ(count(*database), 0);
  database->execute("DROP TABLE IF EXISTS temp.t; CREATE TEMP TABLE t (i BIGINT)");
  Statement(*database, "INSERT INTO temp.t VALUES (?)").bind(1, std::int64_t{7}).run();
  EXPECT_EQ(count(*database), 1) << "a statement prepared before must not stay with the other table";
  database->execute("DROP TABLE temp.t");
  EXPECT_EQ(count(*database), 0);
}

INSTANTIATE_TEST_SUITE_P(Engines, DatabaseTest, testing::Values(test::Engine::sqlite, test::Engine::postgres),
                         test::name_of_engine);

}  // namespace
}  // namespace gpuassay
