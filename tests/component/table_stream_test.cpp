#include "collector/export/table_stream.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/error.h"
#include "tests/support/scratch_root.h"

namespace gpuassay {
namespace {

/// With a program in DuckDB's place that writes what it reads to the file that the statement names.
class TableStreamTest : public testing::Test {
 protected:
  void SetUp() override {
    write_program(
        "case \"$*\" in *version*) echo '[{\"version()\":\"v1.4.4\"}]'; exit;; esac\n"
        "file=$(echo \"$*\" | sed -n \"s/.* TO '\\([^']*\\)'.*/\\1/p\")\ncat >\"$file\"\n");
  }
  void write_program(const std::string& script) const {
    std::ofstream(program()) << "#!/bin/sh\n" << script;
    std::filesystem::permissions(program(), std::filesystem::perms::owner_all);
  }
  [[nodiscard]] std::string program() const { return (std::filesystem::path(folder_.path()) / "duckdb").string(); }
  [[nodiscard]] std::string content(const std::string& file) const {
    std::ifstream stream(std::filesystem::path(folder_.path()) / file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  [[nodiscard]] std::string root() const { return folder_.path(); }

  test::ScratchRoot folder_;
  const Table table_{"runs", "", {{"a", "BIGINT", "", ""}}};
};

TEST_F(TableStreamTest, BeginsAnotherFileWhenOneIsFullAndLosesNothing) {
  const DuckDb duckdb(program());
  TableStream stream(duckdb, root(), table_, "runs/month=2026-11", 16);
  for (const char* const line : {"{\"a\":1}\n", "{\"a\":2}\n", "{\"a\":3}\n", "{\"a\":4}\n", "{\"a\":5}\n"})
    stream.write(line);
  const auto rows = stream.finish();
  const std::map<std::string, std::int64_t> expected{{"runs/month=2026-11/part-00000.parquet", 2},
                                                     {"runs/month=2026-11/part-00001.parquet", 2},
                                                     {"runs/month=2026-11/part-00002.parquet", 1}};
  EXPECT_EQ(rows, expected);
  EXPECT_EQ(content("runs/month=2026-11/part-00000.parquet"), "{\"a\":1}\n{\"a\":2}\n");
  EXPECT_EQ(content("runs/month=2026-11/part-00001.parquet"), "{\"a\":3}\n{\"a\":4}\n");
  EXPECT_EQ(content("runs/month=2026-11/part-00002.parquet"), "{\"a\":5}\n");
}

TEST_F(TableStreamTest, WritesOneFileWithoutRows) {
  const DuckDb duckdb(program());
  const std::map<std::string, std::int64_t> expected{{"runs/part-00000.parquet", 0}};
  EXPECT_EQ(TableStream(duckdb, root(), table_, "runs").finish(), expected);
  EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(root()) / "runs/part-00000.parquet"));
}

TEST_F(TableStreamTest, SaysWhatTheProgramSaidWhenItFails) {
  const DuckDb duckdb(program());
  write_program("echo 'IO Error: no more' >&2; exit 1\n");
  TableStream stream(duckdb, root(), table_, "runs", 1);
  try {
    stream.write("{\"a\":1}\n");
    FAIL() << "it did not notice";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_saved);
    EXPECT_NE(std::string(error.what()).find("IO Error: no more"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace gpuassay
