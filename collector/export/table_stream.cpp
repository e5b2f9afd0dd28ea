#include "collector/export/table_stream.h"

#include <fmt/format.h>

#include <filesystem>

namespace gpuassay {
namespace {

/// Row groups are kept in memory until they are written, and rows of measurements have a kilobyte. Dictionaries of more
/// values are not worth theirs.
constexpr std::string_view kFormat =
    "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480, DICTIONARY_SIZE_LIMIT 1000)";

std::string copy_sql(const Table& table, const std::string& file) {
  constexpr std::size_t kLongestLine = 4U << 20U;
  return fmt::format(
      "SET memory_limit = '500MB'; COPY (FROM read_json('/dev/stdin', format = 'newline_delimited', "
      "auto_detect = false, maximum_object_size = {}, columns = {})) TO {} {}",
      kLongestLine, duckdb_columns(table.columns), duckdb_text(file), kFormat);
}

}  // namespace

std::string month_folder(const std::string& table, const std::string& month) {
  return fmt::format("{}/month={}", table, month);
}

std::string part_file(const std::string& folder, std::size_t part) {
  return fmt::format("{}/part-{:05}.parquet", folder, part);
}

TableStream::TableStream(const DuckDb& duckdb, std::string root, const Table& table, std::string folder,
                         std::size_t most_bytes_of_file)
    : duckdb_(duckdb),
      root_(std::move(root)),
      table_(table),
      folder_(std::move(folder)),
      most_bytes_of_file_(most_bytes_of_file) {
  std::filesystem::create_directories(std::filesystem::path(root_) / folder_);
}

void TableStream::write(std::string_view line) {
  if (!child_) begin_file();
  child_->write(line);
  ++rows_[file_];
  bytes_ += line.size();
  if (bytes_ >= most_bytes_of_file_) end_file();
}

std::map<std::string, std::int64_t> TableStream::finish() {
  if (rows_.empty()) begin_file();
  if (child_) end_file();
  return std::move(rows_);
}

void TableStream::begin_file() {
  file_ = part_file(folder_, rows_.size());
  rows_[file_] = 0;
  bytes_ = 0;
  child_.emplace(duckdb_, root_, copy_sql(table_, file_));
}

void TableStream::end_file() {
  child_->finish();
  child_.reset();
}

void merge_parts(const DuckDb& duckdb, const std::string& root, const std::string& folder, const std::string& file,
                 std::string_view order) {
  DuckDbChild(duckdb, root,
              fmt::format("COPY (FROM read_parquet('{}/*.parquet') {}) TO '{}' {}", folder, order, file, kFormat))
      .finish();
}

}  // namespace gpuassay
