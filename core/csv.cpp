#include "core/csv.h"

#include <fmt/format.h>

#include <utility>

#include "core/error.h"

namespace gpuassay {

/// Splits the text into rows, one character at a time.
class CsvTable::Reader {
 public:
  Reader(std::string_view text, const CsvLimits& limits) : rest_(text), limits_(limits) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  Row read_row() {
    Row row;
    row.line = line_;
    do row.cells.push_back(read_cell());
    while (row.cells.size() <= limits_.max_columns && take(','));
    if (row.cells.size() > limits_.max_columns) refuse("too many columns");
    if (!at_end() && !take_line_end()) refuse("text after a closing quote");
    return row;
  }

  [[noreturn]] void refuse(std::string_view problem) const { refuse(problem, line_); }
  [[noreturn]] static void refuse(std::string_view problem, std::size_t line) {
    throw Error(ErrorCode::unreadable_input,
                fmt::format("CSV line {}: {}; repair the file and read it again", line, problem));
  }

 private:
  bool take(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool take_line_end() {
    if (rest_.substr(0, 2) == "\r\n") rest_.remove_prefix(1);
    if (!take('\n')) return false;
    ++line_;
    return true;
  }

  [[nodiscard]] bool at_line_end() const { return rest_.front() == '\n' || rest_.substr(0, 2) == "\r\n"; }

  std::string read_cell() { return take('"') ? read_quoted() : read_plain(); }

  std::string read_plain() {
    std::string cell;
    while (!at_end() && rest_.front() != ',' && !at_line_end()) {
      if (rest_.front() == '"') refuse("a quote inside an unquoted cell");
      append(cell);
    }
    return cell;
  }

  std::string read_quoted() {
    std::string cell;
    while (true) {
      if (at_end()) refuse("a quoted cell is never closed");
      if (take('"')) {
        if (at_end() || rest_.front() != '"') return cell;  // a doubled quote stands for one quote
      } else if (rest_.front() == '\n') {
        ++line_;
      }
      append(cell);
    }
  }

  void append(std::string& cell) {
    if (cell.size() >= limits_.max_cell_bytes) refuse("a cell is too long");
    if (rest_.front() == '\0') refuse("a zero byte");
    cell += rest_.front();
    rest_.remove_prefix(1);
  }

  std::string_view rest_;
  const CsvLimits& limits_;
  std::size_t line_ = 1;
};

CsvTable CsvTable::parse(std::string_view text, const CsvLimits& limits) {
  if (text.size() > limits.max_bytes) Reader::refuse(fmt::format("more than {} bytes", limits.max_bytes), 1);
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  if (text.empty()) Reader::refuse("the file is empty", 1);
  Reader reader(text, limits);
  CsvTable table;
  const Row header = reader.read_row();
  for (const std::string& name : header.cells) {
    if (name.empty()) Reader::refuse("a column has no name", header.line);
    if (!table.columns_.emplace(name, table.columns_.size()).second)
      Reader::refuse(fmt::format("the column {} occurs twice", name.substr(0, 60)), header.line);
  }
  while (!reader.at_end()) {
    if (table.rows_.size() >= limits.max_rows) reader.refuse("too many rows");
    Row row = reader.read_row();
    if (row.cells.size() != table.columns_.size())
      Reader::refuse(fmt::format("{} cells where the header has {}", row.cells.size(), table.columns_.size()),
                     row.line);
    table.rows_.push_back(std::move(row));
  }
  return table;
}

bool CsvTable::has_column(std::string_view name) const { return columns_.count(std::string(name)) > 0; }

std::string_view CsvTable::cell(std::size_t row, std::string_view column) const {
  const auto found = columns_.find(std::string(column));
  if (found == columns_.end())
    throw Error(ErrorCode::unreadable_input, fmt::format("the CSV file has no column {}; check its format", column));
  return rows_.at(row).cells[found->second];
}

std::optional<std::string> CsvTable::optional_cell(std::size_t row, std::string_view column) const {
  const std::string_view text = cell(row, column);
  return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

}  // namespace gpuassay
