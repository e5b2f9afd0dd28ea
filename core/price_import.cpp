#include "core/price_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "core/byte_source.h"
#include "core/error.h"
#include "core/price_formats.h"
#include "core/price_text.h"
#include "core/seed_prices.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

/// Calls `action`; an error about the content gets the file's name in front.
template <class Action>
auto naming_the_file(const std::string& path, const Action& action) {
  try {
    return action();
  } catch (const Error& error) {
    const std::string message = error.what();
    if (error.code() != ErrorCode::unreadable_input || message.find(path) != std::string::npos) throw;
    throw Error(ErrorCode::unreadable_input, fmt::format("{}: {}", path, message));
  }
}

AsOf as_of_option(const std::string& text) {
  try {
    return read_as_of(text);
  } catch (const Error& error) {
    throw Error(ErrorCode::usage, fmt::format("--as-of: {}", error.what()));
  }
}

/// Why nothing of a file was used, in one line: its most frequent reason and where that is.
std::string no_price_in(const ImportReport& report) {
  const auto& lines = report.rejected_lines();
  const auto most = std::max_element(lines.begin(), lines.end(), [](const auto& left, const auto& right) {
    return left.second.count < right.second.count;
  });
  if (most == lines.end()) return "there is no line in the file but its header; nothing was imported, fetch it again";
  return fmt::format(
      "none of its {} lines is the price of an offer, most of them for this reason: {} ({}); nothing "
      "was imported, check format and file",
      report.rejected(), most->first, most->second.places.front());
}

/// Prices without dollars are kept, but no result can be joined with them.
void warn_about_rates(PriceImport& import) {
  std::map<std::string, std::size_t> waiting;
  for (const PriceRow& row : import.rows) {
    if (row.amount && row.valid_from_ms && !row.price_instance_hour_usd) ++waiting[row.currency];
  }
  for (const auto& [currency, count] : waiting)
    import.report.warn(
        fmt::format("{} prices have no dollars: no rate of {} on their day or {} days before; "
                    "import one with --rates",
                    count, currency, kMaxFxAgeDays));
}

}  // namespace

PriceImport read_price_file(const PriceFileOptions& options, const FxTable& rates) {
  const PriceFormat& format =
      options.format ? price_format_named(*options.format) : recognise_price_format(options.path);
  SourceContext context;
  context.label = std::filesystem::path(options.path).filename().string();
  context.provider = options.provider;
  if (options.as_of) context.as_of = as_of_option(*options.as_of);
  context.rates = rates;
  context.now_ms = options.now_ms;
  if (context.as_of && context.now_ms && context.as_of->first_ms > *context.now_ms + kMsPerDay)
    throw Error(ErrorCode::usage, fmt::format("--as-of: {} is in the future", *options.as_of));
  ByteSource source = ByteSource::from_file(options.path);
  PriceImport import = naming_the_file(options.path, [&] { return format.read(source, context); });
  if (import.report.accepted() + import.report.quarantined() == 0)
    throw Error(ErrorCode::unreadable_input, fmt::format("{}: {}", options.path, no_price_in(import.report)));
  warn_about_rates(import);
  return import;
}

std::vector<FxRate> read_rate_file(const std::string& path) {
  ByteSource source = ByteSource::from_file(path);
  return naming_the_file(path, [&] { return read_fx_rates(source); });
}

PriceImportOutcome import_price_file(Database& database, const PriceFileOptions& options) {
  PriceStore store(database);
  std::vector<FxRate> rates;
  if (options.rates_path) rates = read_rate_file(*options.rates_path);
  // Read before anything is stored: a file that is refused leaves the rates out too.
  FxTable table = store.rates();
  table.add(rates);
  PriceImport import = read_price_file(options, table);
  PriceImportOutcome outcome;
  outcome.report = std::move(import.report);
  outcome.changes = naming_the_file(options.path, [&] { return store.store(std::move(import), rates); });
  return outcome;
}

void add_bundled_prices(Database& database) {
  PriceStore store(database);
  PriceImport bundled = bundled_seed_prices(store.rates());
  if (!bundled.rows.empty() && !store.has_source(bundled.rows.front().source)) store.store(std::move(bundled));
}

std::string describe(const PriceImportOutcome& outcome) {
  const auto& [report, changes] = outcome;
  std::string text =
      fmt::format("{} accepted ({} new, {} confirmed, {} unchanged), {} quarantined, {} rejected\n", report.accepted(),
                  changes.inserted, changes.confirmed, changes.unchanged, report.quarantined(), report.rejected());
  if (changes.closed > 0) text += fmt::format("  {} offers have disappeared: their prices end here\n", changes.closed);
  if (changes.converted > 0) text += fmt::format("  {} prices got their dollars from the rates\n", changes.converted);
  return text + report.details();
}

}  // namespace gpuassay
