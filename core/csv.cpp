#include "core/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/utf8.h"

namespace gpuassay {

CsvReader::CsvReader(ByteSource& source, const CsvLimits& limits) : source_(source), limits_(limits) {
  skip_byte_order_mark();
  if (source_.at_end()) refuse("the file is empty", 1, 1);
}

void CsvReader::refuse(std::string_view problem, std::size_t line, std::size_t column) {
  throw Error(ErrorCode::unreadable_input,
              fmt::format("CSV line {}, column {}: {}; repair the file and read it again", line, column, problem));
}

void CsvReader::skip_byte_order_mark() {
  if (source_.at_end()) return;
  const std::string_view start = source_.at_hand();
  if (start.substr(0, 3) == "\xEF\xBB\xBF") source_.pop_front(3);
  if (start.substr(0, 2) == "\xFF\xFE" || start.substr(0, 2) == "\xFE\xFF")
    refuse("the file is UTF-16; save it as UTF-8", 1, 1);
}

bool CsvReader::next(CsvRow& row) {
  if (source_.at_end()) return false;
  row.line = line_;
  column_ = 1;
  std::size_t count = 0;
  do {
    if (count >= limits_.max_columns) refuse_here("too many columns");
    column_ = count + 1;
    if (count >= row.cells.size()) row.cells.emplace_back();
    read_cell(row.cells[count]);
    check_encoding(row.cells[count]);
    ++count;
  } while (take(','));
  row.cells.resize(count);
  if (!source_.at_end() && !take_line_end()) refuse_here("text after a closing quote");
  return true;
}

bool CsvReader::next_is(char wanted) { return !source_.at_end() && source_.front() == wanted; }

bool CsvReader::take(char wanted) {
  if (!next_is(wanted)) return false;
  source_.pop();
  return true;
}

bool CsvReader::take_line_end() {
  take('\r');
  if (source_.at_end()) return true;
  if (!take('\n')) return false;
  ++line_;
  return true;
}

void CsvReader::read_cell(std::string& cell) {
  cell.clear();
  if (take('"')) {
    read_quoted(cell);
  } else {
    read_plain(cell);
  }
}

void CsvReader::read_plain(std::string& cell) {
  while (!source_.at_end()) {
    const std::string_view hand = source_.at_hand();
    const std::size_t stop = std::min(hand.find_first_of(std::string_view(",\n\r\"\0", 5)), hand.size());
    append(cell, hand.substr(0, stop));
    source_.pop_front(stop);
    if (stop == hand.size()) continue;
    if (source_.front() == '"') refuse_here("a quote inside an unquoted cell");
    if (source_.front() == '\0') refuse_here("a zero byte; if the file is UTF-16, save it as UTF-8");
    if (!take('\r')) return;
    if (next_is('\n')) return;
    append(cell, "\r");  // alone it ends no line
  }
}

void CsvReader::read_quoted(std::string& cell) {
  while (true) {
    if (source_.at_end()) refuse_here("a quoted cell is never closed");
    const std::string_view hand = source_.at_hand();
    const std::size_t stop = std::min(hand.find_first_of(std::string_view("\"\n\0", 3)), hand.size());
    append(cell, hand.substr(0, stop));
    source_.pop_front(stop);
    if (stop == hand.size()) continue;
    const char found = source_.front();
    if (found == '\0') refuse_here("a zero byte; if the file is UTF-16, save it as UTF-8");
    source_.pop();
    if (found == '\n') {
      ++line_;
      append(cell, "\n");
    } else if (take('"')) {  // a doubled quote stands for one quote
      append(cell, "\"");
    } else {
      return;
    }
  }
}

void CsvReader::append(std::string& cell, std::string_view bytes) const {
  if (cell.size() + bytes.size() > limits_.max_cell_bytes)
    refuse_here(fmt::format("a cell is longer than {} bytes", limits_.max_cell_bytes));
  cell.append(bytes);
}

void CsvReader::check_encoding(std::string_view cell) const {
  if (const auto bad = first_bad_utf8(cell))
    refuse_here(fmt::format("byte {} of the cell is not UTF-8; save the file as UTF-8", *bad + 1));
}

CsvHeader::CsvHeader(const CsvRow& row) {
  for (const std::string& name : row.cells) {
    const std::size_t column = places_.size() + 1;
    if (name.empty()) CsvReader::refuse("a column has no name", row.line, column);
    if (!places_.emplace(name, places_.size()).second)
      CsvReader::refuse(fmt::format("the column {} occurs twice", name.substr(0, 60)), row.line, column);
  }
}

bool CsvHeader::is_blank(const CsvRow& row) const {
  return places_.size() > 1 && row.cells.size() == 1 && row.cells.front().empty();
}

std::optional<std::size_t> CsvHeader::place(std::string_view name) const {
  const auto found = places_.find(std::string(name));
  return found == places_.end() ? std::nullopt : std::optional(found->second);
}

CsvTable CsvTable::parse(std::string_view text, const CsvLimits& limits) {
  if (text.size() > limits.max_bytes) CsvReader::refuse(fmt::format("more than {} bytes", limits.max_bytes), 1, 1);
  ByteSource source = ByteSource::from_text(text);
  CsvReader reader(source, limits);
  CsvTable table;
  CsvRow row;
  reader.next(row);
  table.header_ = CsvHeader(row);
  while (reader.next(row)) {
    if (table.header_.is_blank(row)) continue;
    if (table.rows_.size() >= limits.max_rows) CsvReader::refuse("too many rows", row.line, 1);
    if (row.cells.size() != table.header_.size())
      CsvReader::refuse(fmt::format("{} cells where the header has {}", row.cells.size(), table.header_.size()),
                        row.line, std::min(row.cells.size(), table.header_.size()) + 1);
    table.rows_.push_back(row);
  }
  return table;
}

std::string_view CsvTable::cell(std::size_t row, std::string_view column) const {
  const auto place = header_.place(column);
  if (!place)
    throw Error(ErrorCode::unreadable_input, fmt::format("the CSV file has no column {}; check its format", column));
  return rows_.at(row).cells[*place];
}

std::optional<std::string> CsvTable::optional_cell(std::size_t row, std::string_view column) const {
  const std::string_view text = cell(row, column);
  return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

}  // namespace gpuassay
