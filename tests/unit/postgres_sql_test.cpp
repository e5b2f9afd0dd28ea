#include "collector/postgres_sql.h"

#include <gtest/gtest.h>

namespace gpuassay {
namespace {

TEST(PostgresSql, ParametersAreNumbered) {
  EXPECT_EQ(postgres_sql("a = ? AND b = ?"), "a = $1 AND b = $2");
  EXPECT_EQ(postgres_sql("?2, ?1, ?2, ?"), "$2, $1, $2, $3");
  EXPECT_EQ(postgres_sql("?12"), "$12");
}

TEST(PostgresSql, LiteralsNamesAndCommentsStay) {
  EXPECT_EQ(postgres_sql("'?' \"temp.BLOB\" -- what?\n?"), "'?' \"temp.BLOB\" -- what?\n$1");
  EXPECT_EQ(postgres_sql("'it''s ?' ?"), "'it''s ?' $1");
  EXPECT_EQ(postgres_sql("'open ?"), "'open ?");
  EXPECT_EQ(postgres_sql("-- open ?"), "-- open ?");
}

TEST(PostgresSql, TypesAndTemporaryTables) {
  EXPECT_EQ(postgres_sql("CREATE TABLE t (a TEXT, b BLOB); SELECT CAST(a AS TEXT) FROM t"),
            "CREATE TABLE t (a TEXT COLLATE \"C\", b BYTEA); SELECT CAST(a AS TEXT) FROM t");
  EXPECT_EQ(postgres_sql("DROP TABLE IF EXISTS temp.results"), "DROP TABLE IF EXISTS pg_temp.results");
  EXPECT_EQ(postgres_sql("SELECT temp, my_temp.x, BLOBS FROM t"), "SELECT temp, my_temp.x, BLOBS FROM t");
}

}  // namespace
}  // namespace gpuassay
