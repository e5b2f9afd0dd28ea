// How does a stream of rows become Parquet files, however many rows there are?
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "collector/export/column.h"
#include "collector/export/duckdb.h"

namespace gpuassay {

/// "runs/month=2026-11"
std::string month_folder(const std::string& table, const std::string& month);
/// "runs/month=2026-11/part-00000.parquet"
std::string part_file(const std::string& folder, std::size_t part);

/// Writes the rows of one table, in the order in which they come, to the files of a folder: part-00000.parquet and so
/// on. DuckDB keeps what it reads from a pipe until its end, so each file has a child of its own and a bounded share.
class TableStream {
 public:
  /// As text; a tenth or a twentieth of it as Parquet.
  static constexpr std::size_t kMostBytesOfFile = 96U << 20U;

  /// `folder` is relative to `root`, the folder of the export. After `most_bytes_of_file` another file is begun.
  TableStream(const DuckDb& duckdb, std::string root, const Table& table, std::string folder,
              std::size_t most_bytes_of_file = kMostBytesOfFile);

  /// One line of JSON.
  void write(std::string_view line);
  /// Afterwards there is at least one file. How many rows each must have.
  std::map<std::string, std::int64_t> finish();

 private:
  void begin_file();
  void end_file();

  const DuckDb& duckdb_;
  const std::string root_;
  const Table& table_;
  const std::string folder_;
  const std::size_t most_bytes_of_file_;
  std::optional<DuckDbChild> child_;
  std::size_t bytes_ = 0;  ///< sent to the child
  std::string file_;
  std::map<std::string, std::int64_t> rows_;
};

/// Makes one file of those of a folder, both relative to `root`. `order` is an ORDER BY, or nothing for the order that
/// there is.
void merge_parts(const DuckDb& duckdb, const std::string& root, const std::string& folder, const std::string& file,
                 std::string_view order);

}  // namespace gpuassay
