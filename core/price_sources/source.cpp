#include "core/price_sources/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "core/error.h"
#include "core/gpu_aliases.h"
#include "core/price_checks.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

/// More rows than this would not fit the memory of a small machine.
constexpr std::size_t kMostRows = 3'000'000;

/// "line 3, column amount: bad" of a reader without its place, so that equal problems count together.
std::string without_line(const std::string& message) {
  if (!message.starts_with("line ")) return message;
  const std::size_t comma = message.find(", ");
  return comma == std::string::npos ? message : message.substr(comma + 2);
}

/// Nobody has seen a price of the future: it would never go stale. A day is left for clocks and time zones.
void require_past(const PriceRow& row, std::optional<std::int64_t> now_ms) {
  if (now_ms && row.observed_at_ms > *now_ms + kMsPerDay)
    throw Error(ErrorCode::unreadable_input, "the price was seen in the future; correct its date");
}

/// An amount's own message, as "must be a number" alone does not say which.
void require_number(const std::optional<std::string>& amount) {
  try {
    if (amount) (void)parse_decimal(*amount);
  } catch (const Error& error) {
    throw Error(ErrorCode::unreadable_input, fmt::format("the price {}", error.what()));
  }
}

/// The part of source_ref that is the place.
std::string place_of(const PriceRow& row) {
  return row.source_ref.substr(
      std::min(row.source_ref.rfind(' ', row.source_ref.rfind(' ') - 1) + 1, row.source_ref.size()));
}

}  // namespace

void reject_line(const std::string& reason) { throw NoOffer(ErrorCode::unreadable_input, reason); }

void RowCollector::add(const std::string& place, const std::function<void(PriceRow&)>& fill) {
  if (import_.rows.size() >= kMostRows)
    throw Error(ErrorCode::usage, fmt::format("{} has more than {} prices; split it", context_.label, kMostRows));
  PriceRow row;
  try {
    fill(row);
    if (row.source_ref.empty()) row.source_ref = fmt::format("{} {}", context_.label, place);
    require_past(row, context_.now_ms);
    require_number(row.amount);
    require_number(row.upfront_amount);
    count_k80_devices(row);
    compute_hourly_prices(row, context_.rates);
    const std::string reason = reason_to_quarantine(row);
    if (!reason.empty()) {
      import_.report.quarantine(place, reason);
      if (!is_kept(row)) return unread_.add(row);
    } else {
      import_.report.accept();
    }
    import_.rows.push_back(std::move(row));
  } catch (const NoOffer& reason) {
    import_.report.reject(place, without_line(reason.what()));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::unreadable_input) throw;
    import_.report.reject(place, without_line(error.what()));
    unread_.add(row);
  }
}

PriceImport RowCollector::finish_list(const std::string& source, const AsOf& as_of) {
  PriceImport import = finish(true);
  import.complete = CompleteList{source, as_of.first_ms, std::move(unread_)};
  return import;
}

PriceImport RowCollector::finish(bool is_catalog) {
  if (!is_catalog) return std::move(import_);
  std::map<std::string, std::vector<std::size_t>> offers;
  for (std::size_t at = 0; at < import_.rows.size(); ++at) offers[price_id(import_.rows[at])].push_back(at);
  std::vector<bool> keep(import_.rows.size(), true);
  for (auto& [id, places] : offers) {
    // Of equal lines the least one is kept, whichever comes first.
    std::sort(places.begin(), places.end(), [&](std::size_t left, std::size_t right) {
      const auto said = [&](std::size_t at) {
        const PriceRow& row = import_.rows[at];
        return std::tie(row.vcpus, row.memory_gib, row.local_disk_gb, row.note);
      };
      return said(left) != said(right) ? said(left) < said(right) : left < right;
    });
    const PriceRow& first = import_.rows[places.front()];
    const bool equal = std::all_of(places.begin(), places.end(), [&](std::size_t at) {
      return import_.rows[at].price_instance_hour == first.price_instance_hour &&
             import_.rows[at].gpu_memory_gib_total == first.gpu_memory_gib_total;
    });
    for (std::size_t nth = 0; nth < places.size(); ++nth) {
      keep[places[nth]] = equal && nth == 0;
      if (equal) continue;
      import_.report.quarantine_accepted(place_of(import_.rows[places[nth]]),
                                         "the file gives another amount or memory for the same offer");
      unread_.add(import_.rows[places[nth]]);
    }
  }
  std::vector<PriceRow> kept;
  kept.reserve(import_.rows.size());
  for (std::size_t at = 0; at < import_.rows.size(); ++at) {
    if (keep[at]) kept.push_back(std::move(import_.rows[at]));
  }
  import_.rows = std::move(kept);
  warn_about_spot(import_.rows, import_.report);
  return std::move(import_);
}

const AsOf& needed_as_of(const SourceContext& context, std::string_view format) {
  if (!context.as_of)
    throw Error(ErrorCode::usage, fmt::format("a {} file does not say when its prices held; add --as-of DATE", format));
  return *context.as_of;
}

const std::string& needed_provider(const SourceContext& context, std::string_view format) {
  if (!context.provider)
    throw Error(ErrorCode::usage,
                fmt::format("a {} file does not say whose prices it holds; add --provider P", format));
  return *context.provider;
}

void describe_catalog_row(PriceRow& row, const AsOf& as_of, std::string_view source, std::string_view source_kind) {
  row.valid_from_ms = row.observed_at_ms = as_of.first_ms;
  row.as_of_precision = as_of.precision;
  row.source = source;
  row.source_kind = source_kind;
}

void warn_about_age(PriceImport& import, const SourceContext& context) {
  if (!context.as_of && !import.rows.empty())
    import.report.warn(
        "when this list was fetched is not known, so its prices count as seen on the day they changed and look old; "
        "import it again with --as-of DATE");
}

void name_gpu(PriceRow& row, std::string_view name, std::optional<Micros> memory_gib_each) {
  const GpuName gpu = resolve_gpu_name(name, memory_gib_each, {});
  row.gpu_model = gpu.model;
  row.gpu_variant = gpu.variant;
  set_gpu_memory(row, memory_gib_each ? memory_gib_each : gpu.memory_gib);
}

void set_gpu_memory(PriceRow& row, std::optional<Micros> memory_gib_each) {
  row.gpu_memory_gib_total.reset();
  if (!memory_gib_each || *memory_gib_each == 0) return;
  const Decimal each{static_cast<std::uint64_t>(*memory_gib_each), 6};
  const Decimal count{static_cast<std::uint64_t>(row.gpu_count), 6};
  row.gpu_memory_gib_total = Ratio(each).times(Ratio(count)).micros();
}

std::optional<Micros> quantity(std::string_view text) {
  if (text.empty()) return std::nullopt;
  return parse_micros(plain_digits(text));
}

}  // namespace gpuassay
