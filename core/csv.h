// What are the cells of a CSV file (RFC 4180), by column name, when the file may be damaged or hostile?
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gpuassay {

struct CsvLimits {
  std::size_t max_bytes = std::size_t{64} << 20U;
  std::size_t max_rows = 1'000'000;
  std::size_t max_columns = 256;
  std::size_t max_cell_bytes = std::size_t{64} << 10U;
};

/// A table read whole: a header, then rows of as many cells. Owns its text.
class CsvTable {
 public:
  /// Accepts LF and CRLF, quoted cells with line breaks, a UTF-8 byte order mark. Throws Error{unreadable_input} with
  /// the line number for unbalanced quotes, rows of another length, repeated or empty column names, zero bytes and
  /// anything beyond `limits`.
  static CsvTable parse(std::string_view text, const CsvLimits& limits = {});

  [[nodiscard]] std::size_t row_count() const { return rows_.size(); }
  /// Line of the file on which the row starts; the header is line 1.
  [[nodiscard]] std::size_t line_of(std::size_t row) const { return rows_.at(row).line; }
  [[nodiscard]] bool has_column(std::string_view name) const;
  /// The cell's text, possibly empty. Throws Error{unreadable_input} when there is no such column.
  [[nodiscard]] std::string_view cell(std::size_t row, std::string_view column) const;
  /// Empty optional for an empty cell.
  [[nodiscard]] std::optional<std::string> optional_cell(std::size_t row, std::string_view column) const;

 private:
  struct Row {
    std::size_t line = 0;
    std::vector<std::string> cells;
  };
  class Reader;

  std::unordered_map<std::string, std::size_t> columns_;
  std::vector<Row> rows_;
};

}  // namespace gpuassay
