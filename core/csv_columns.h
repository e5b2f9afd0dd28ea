// What stands in a named column of the current row of a CSV file, and where is it when it is wrong?
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "core/csv.h"
#include "core/error.h"

namespace gpuassay {

/// Reads a CSV file row by row and its cells by column name. Columns may stand in any order and more may be there.
class CsvColumns {
 public:
  /// Throws Error{unreadable_input} naming the columns of `required` that are missing; `what` says what was expected
  /// ("rate file"). `skip_lines` lines before the header are passed over.
  CsvColumns(ByteSource& source, std::initializer_list<std::string_view> required, std::string_view what,
             std::size_t skip_lines = 0);

  /// Moves to the next row; false at the end. Throws Error{unreadable_input} for a row of another length.
  bool next();

  /// Line of the current row.
  [[nodiscard]] std::size_t line() const { return row_.line; }
  [[nodiscard]] bool has(std::string_view column) const { return header_.has(column); }
  /// The cell; empty where there is no such column.
  [[nodiscard]] std::string_view cell(std::string_view column) const;
  [[nodiscard]] std::optional<std::string> optional_cell(std::string_view column) const;

  /// What `parse` makes of the cell. Its Error{unreadable_input} is thrown again with the place.
  template <class Parse>
  auto read(std::string_view column, const Parse& parse) const -> decltype(parse(std::string_view())) {
    try {
      return parse(cell(column));
    } catch (const Error& error) {
      refuse(column, error.what());
    }
  }
  /// The same, empty for an empty cell.
  template <class Parse>
  auto read_optional(std::string_view column,
                     const Parse& parse) const -> std::optional<decltype(parse(std::string_view()))> {
    if (cell(column).empty()) return std::nullopt;
    return read(column, parse);
  }

  /// Throws Error{unreadable_input}: "line 3, column amount: ...".
  [[noreturn]] void refuse(std::string_view column, std::string_view problem) const;

 private:
  CsvReader reader_;
  CsvHeader header_;
  CsvRow row_;
};

}  // namespace gpuassay
