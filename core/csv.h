// What are the cells of a CSV file (RFC 4180), by column name, when the file may be damaged or hostile?
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/byte_source.h"

namespace gpuassay {

struct CsvLimits {
  std::size_t max_bytes = std::size_t{64} << 20U;  ///< of a table read whole
  std::size_t max_rows = 1'000'000;
  std::size_t max_columns = 256;
  std::size_t max_cell_bytes = std::size_t{64} << 10U;
};

/// One row: its cells and the line of the file on which it starts; the first line is 1.
struct CsvRow {
  std::size_t line = 0;
  std::vector<std::string> cells;
};

/// Splits bytes into rows, one at a time, with memory for one row only. Accepts LF and CRLF, quoted cells with line
/// breaks, a UTF-8 byte order mark. Throws Error{unreadable_input} with line and column for unbalanced quotes, other
/// encodings than UTF-8, zero bytes and anything beyond the limits.
class CsvReader {
 public:
  CsvReader(ByteSource& source, const CsvLimits& limits);

  /// Fills `row` with the next one; false at the end. Its strings are used again: no allocation in the long run.
  bool next(CsvRow& row);

  /// Fails with the place: "CSV line 3, column 2: ...".
  [[noreturn]] static void refuse(std::string_view problem, std::size_t line, std::size_t column);

 private:
  void skip_byte_order_mark();
  [[nodiscard]] bool next_is(char wanted);
  bool take(char wanted);
  bool take_line_end();
  void read_cell(std::string& cell);
  void read_plain(std::string& cell);
  void read_quoted(std::string& cell);
  void append(std::string& cell, std::string_view bytes) const;
  void check_encoding(std::string_view cell) const;
  [[noreturn]] void refuse_here(std::string_view problem) const { refuse(problem, line_, column_); }

  ByteSource& source_;
  CsvLimits limits_;
  std::size_t line_ = 1, column_ = 1;
};

/// The column names of a CSV file and where each stands.
class CsvHeader {
 public:
  CsvHeader() = default;
  /// Throws Error{unreadable_input} for repeated or empty names.
  explicit CsvHeader(const CsvRow& row);

  [[nodiscard]] bool has(std::string_view name) const { return places_.count(std::string(name)) > 0; }
  [[nodiscard]] std::optional<std::size_t> place(std::string_view name) const;
  [[nodiscard]] std::size_t size() const { return places_.size(); }
  /// An empty line, as editors leave at the end, where rows have several cells.
  [[nodiscard]] bool is_blank(const CsvRow& row) const;

 private:
  std::unordered_map<std::string, std::size_t> places_;
};

/// A table read whole: a header, then rows of as many cells. Owns its text.
class CsvTable {
 public:
  /// What CsvReader refuses, rows of another length than the header, and anything beyond `limits` throw
  /// Error{unreadable_input}.
  static CsvTable parse(std::string_view text, const CsvLimits& limits = {});

  [[nodiscard]] std::size_t row_count() const { return rows_.size(); }
  [[nodiscard]] std::size_t line_of(std::size_t row) const { return rows_.at(row).line; }
  [[nodiscard]] bool has_column(std::string_view name) const { return header_.has(name); }
  /// The cell's text, possibly empty. Throws Error{unreadable_input} when there is no such column.
  [[nodiscard]] std::string_view cell(std::size_t row, std::string_view column) const;
  /// Empty optional for an empty cell.
  [[nodiscard]] std::optional<std::string> optional_cell(std::size_t row, std::string_view column) const;

 private:
  CsvHeader header_;
  std::vector<CsvRow> rows_;
};

}  // namespace gpuassay
