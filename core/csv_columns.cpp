#include "core/csv_columns.h"

#include <fmt/format.h>

#include <algorithm>

namespace gpuassay {
namespace {

CsvLimits streaming_limits() {
  CsvLimits limits;
  limits.max_columns = 1024;
  return limits;
}

}  // namespace

CsvColumns::CsvColumns(ByteSource& source, std::initializer_list<std::string_view> required, std::string_view what,
                       std::size_t skip_lines)
    : reader_(source, streaming_limits()) {
  for (std::size_t skipped = 0; skipped <= skip_lines; ++skipped) {
    if (!reader_.next(row_)) CsvReader::refuse("the file ends before its header", skipped + 1, 1);
  }
  header_ = CsvHeader(row_);
  std::string missing;
  for (const std::string_view column : required) {
    if (!header_.has(column)) missing += fmt::format("{}{}", missing.empty() ? "" : ", ", column);
  }
  if (!missing.empty())
    CsvReader::refuse(fmt::format("this is no {}: it has no column {}", what, missing), row_.line, 1);
}

bool CsvColumns::next() {
  do {
    if (!reader_.next(row_)) return false;
  } while (header_.is_blank(row_));
  if (row_.cells.size() != header_.size())
    CsvReader::refuse(fmt::format("{} cells where the header has {}", row_.cells.size(), header_.size()), row_.line,
                      std::min(row_.cells.size(), header_.size()) + 1);
  return true;
}

std::string_view CsvColumns::cell(std::string_view column) const {
  const auto place = header_.place(column);
  return place ? std::string_view(row_.cells[*place]) : std::string_view();
}

std::optional<std::string> CsvColumns::optional_cell(std::string_view column) const {
  const std::string_view text = cell(column);
  return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

void CsvColumns::refuse(std::string_view column, std::string_view problem) const {
  throw Error(ErrorCode::unreadable_input, fmt::format("line {}, column {}: {}", row_.line, column, problem));
}

}  // namespace gpuassay
