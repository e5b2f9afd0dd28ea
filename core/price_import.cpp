#include "core/price_import.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "core/csv.h"
#include "core/error.h"
#include "core/prices_seed.h"

namespace gpuassay {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorCode::unreadable_input, fmt::format("cannot open {}; check that the file exists", path));
  const std::size_t limit = CsvLimits{}.max_bytes;
  std::string text;
  std::string piece(std::size_t{64} << 10U, '\0');
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())), file.gcount() > 0) {
    text.append(piece.data(), static_cast<std::size_t>(file.gcount()));
    if (text.size() > limit)
      throw Error(ErrorCode::unreadable_input, fmt::format("{} is larger than {} bytes; split it", path, limit));
  }
  if (file.bad() || !file.eof())
    throw Error(ErrorCode::unreadable_input, fmt::format("cannot read {}; check that it is a file", path));
  return text;
}

void describe_lines(std::string& text, std::string_view what, const std::vector<RefusedLine>& lines) {
  for (const RefusedLine& line : lines) text += fmt::format("  line {} {}: {}\n", line.line, what, line.reason);
}

}  // namespace

PriceImportOutcome import_price_file(Database& database, std::string_view format, const std::string& path) {
  if (format != "seed")
    throw Error(ErrorCode::usage, fmt::format("there is no price format '{}'; the known one is: seed", format));
  PriceImport import = read_seed_prices(read_file(path));
  PriceStore store(database);
  PriceImportOutcome outcome;
  outcome.changes = store.store(std::move(import.rows));
  outcome.report = std::move(import.report);
  return outcome;
}

std::string describe(const PriceImportOutcome& outcome) {
  const auto& [report, changes] = outcome;
  std::string text = fmt::format("{} accepted ({} new, {} confirmed, {} unchanged), {} quarantined, {} rejected\n",
                                 report.accepted, changes.inserted, changes.confirmed, changes.unchanged,
                                 report.quarantined.size(), report.rejected.size());
  describe_lines(text, "quarantined", report.quarantined);
  describe_lines(text, "rejected", report.rejected);
  return text;
}

}  // namespace gpuassay
