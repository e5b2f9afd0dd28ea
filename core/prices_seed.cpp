#include "core/prices_seed.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/csv.h"
#include "core/error.h"
#include "core/price_names.h"
#include "core/timestamp.h"
#include "embedded/SeedPrices.h"

namespace gpuassay {
namespace {

constexpr std::int64_t kMsPerDay = 86'400'000;
// Outside these a per-GPU-hour price is a misread one (reference: load checks).
constexpr Micros kLowestPlausibleGpuHour = 5'000;
constexpr Micros kHighestPlausibleGpuHour = 200'000'000;
// One K80 device has 12 GB; a stated device with more than this is a board of two.
constexpr double kK80BoardAboveGib = 18;

struct AsOf {
  std::int64_t first_ms;
  DatePrecision precision;
};

int number(std::string_view digits) {
  int value = -1;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool whole = problem == std::errc() && end == digits.data() + digits.size() && value >= 0;
  if (!whole) throw Error(ErrorCode::unreadable_input, fmt::format("'{}' is not part of a date", digits));
  return value;
}

AsOf read_as_of(std::string_view text) {
  if (text.size() == 4) return {days_since_epoch(number(text), 1, 1) * kMsPerDay, DatePrecision::year};
  if (text.size() == 7 && text[4] == '-')
    return {days_since_epoch(number(text.substr(0, 4)), number(text.substr(5, 2)), 1) * kMsPerDay,
            DatePrecision::month};
  if (text.size() == 10 && text[4] == '-' && text[7] == '-')
    return {
        days_since_epoch(number(text.substr(0, 4)), number(text.substr(5, 2)), number(text.substr(8, 2))) * kMsPerDay,
        DatePrecision::day};
  throw Error(ErrorCode::unreadable_input, fmt::format("'{}' is not a date; write year, year-month or a day", text));
}

PriceBasis read_basis(std::string_view note) {
  constexpr std::string_view kToken = "basis=";
  if (note.substr(0, kToken.size()) == kToken) {
    note.remove_prefix(kToken.size());
    if (const auto basis = from_name<PriceBasis>(note.substr(0, note.find(';')))) return *basis;
  }
  throw Error(ErrorCode::unreadable_input, "the note does not begin with a known basis= token");
}

std::optional<double> read_quantity(const CsvTable& table, std::size_t row, std::string_view column) {
  const std::string_view text = table.cell(row, column);
  if (text.empty()) return std::nullopt;
  return static_cast<double>(parse_micros(text)) / 1e6;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

Confidence read_confidence(std::string_view note) {
  if (contains(note, "artefact") || contains(note, "mistranslat") || contains(note, "model lost"))
    return Confidence::garbled;
  const bool inferred = contains(note, "read as") || contains(note, "inferred") || contains(note, "assumed");
  return inferred ? Confidence::inferred : Confidence::exact;
}

/// Traps that the notes of the seed rows document.
void apply_documented_quirks(PriceRow& row) {
  // Two machines of one shape: the dearer has the fast network, which only the note says.
  if (contains(row.note, "the RDMA (InfiniBand) variant")) row.product_line = row.product_line.value_or("") + " RDMA";
  // A column headed memory that holds the size of the local disk.
  if (contains(row.note, "looks like local disk")) {
    row.local_disk_gb = row.memory_gib;
    row.memory_gib.reset();
  }
  // Clouds mostly count one of the two devices on a K80 board; CUDA counts both.
  const double devices = static_cast<double>(row.gpu_count) / 1e6;
  if (row.gpu_model == "Tesla K80" && row.gpu_memory_gib_total &&
      *row.gpu_memory_gib_total / devices > kK80BoardAboveGib)
    row.gpu_count *= 2;
}

std::string checked_name(const CsvTable& table, std::size_t row, std::string_view column,
                         std::initializer_list<std::string_view> allowed) {
  const std::string_view name = table.cell(row, column);
  if (std::find(allowed.begin(), allowed.end(), name) == allowed.end())
    throw Error(ErrorCode::unreadable_input, fmt::format("'{}' is not a known {}", name, column));
  return std::string(name);
}

std::string checked_currency(std::string_view code) {
  const bool iso =
      code.size() == 3 && std::all_of(code.begin(), code.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!iso) throw Error(ErrorCode::unreadable_input, fmt::format("'{}' is not a currency code", code));
  return std::string(code);
}

PriceRow read_row(const CsvTable& table, std::size_t at) {
  PriceRow row;
  row.provider = table.cell(at, "provider");
  row.product_line = table.optional_cell(at, "product_line");
  row.instance_type = table.optional_cell(at, "instance_type");
  row.gpu_model = table.cell(at, "gpu_model");
  row.gpu_count = parse_micros(table.cell(at, "gpu_count"));
  row.gpu_memory_gib_total = read_quantity(table, at, "gpu_memory_gib_total");
  row.vcpus = read_quantity(table, at, "vcpus");
  row.memory_gib = read_quantity(table, at, "memory_gib");
  row.pricing_model =
      checked_name(table, at, "pricing_model", {"on_demand", "spot", "preemptible", "reserved", "monthly"});
  if (row.pricing_model == "monthly") row.commitment_months = 1;
  row.amount = table.optional_cell(at, "amount");
  row.currency = checked_currency(table.cell(at, "currency"));
  row.unit = checked_name(table, at, "unit", {"hour", "month", "year"});
  const AsOf as_of = read_as_of(table.cell(at, "as_of"));
  row.valid_from_ms = row.observed_at_ms = as_of.first_ms;
  row.as_of_precision = as_of.precision;
  row.source_kind = "document";
  row.source = table.cell(at, "seed_file");
  row.source_ref = fmt::format("{} line {}", row.source, table.line_of(at));
  row.note = table.cell(at, "note");
  row.basis = read_basis(row.note);
  row.confidence = read_confidence(row.note);
  apply_documented_quirks(row);
  compute_hourly_prices(row);
  return row;
}

/// Empty when the line can be an offer's price.
std::string reason_to_reject(const CsvTable& table, std::size_t row) {
  if (table.cell(row, "provider").empty()) return "no provider stated";
  if (table.cell(row, "gpu_model").empty()) return "no GPU stated: not the price of an offer";
  if (table.cell(row, "gpu_count").empty() || parse_micros(table.cell(row, "gpu_count")) == 0)
    return "no GPU count stated";
  if (table.cell(row, "as_of").empty()) return "no date stated";
  return {};
}

/// Empty when the price per GPU and hour can be true.
std::string reason_to_quarantine(const PriceRow& row) {
  if (row.amount && parse_micros(*row.amount) == 0) return "zero is not a price";
  if (row.price_gpu_hour_usd &&
      (*row.price_gpu_hour_usd < kLowestPlausibleGpuHour || *row.price_gpu_hour_usd > kHighestPlausibleGpuHour))
    return fmt::format("implausible price of {} USD per GPU and hour", format_micros(*row.price_gpu_hour_usd));
  return {};
}

void require_columns(const CsvTable& table) {
  for (const std::string_view column :
       {"provider", "product_line", "instance_type", "gpu_model", "gpu_count", "gpu_memory_gib_total", "vcpus",
        "memory_gib", "pricing_model", "amount", "currency", "unit", "as_of", "seed_file", "note"})
    if (!table.has_column(column))
      throw Error(ErrorCode::unreadable_input,
                  fmt::format("no column {}: this is not a seed price file; choose another --format", column));
}

}  // namespace

PriceImport read_seed_prices(std::string_view csv_text) {
  const CsvTable table = CsvTable::parse(csv_text);
  require_columns(table);
  PriceImport import;
  for (std::size_t at = 0; at < table.row_count(); ++at) {
    try {
      std::string reason = reason_to_reject(table, at);
      if (!reason.empty()) {
        import.report.rejected.push_back({table.line_of(at), std::move(reason)});
        continue;
      }
      PriceRow row = read_row(table, at);
      reason = reason_to_quarantine(row);
      if (!reason.empty()) {
        import.report.quarantined.push_back({table.line_of(at), std::move(reason)});
        continue;
      }
      import.rows.push_back(std::move(row));
    } catch (const Error& error) {
      import.report.rejected.push_back({table.line_of(at), error.what()});
    }
  }
  import.report.accepted = import.rows.size();
  return import;
}

std::string_view embedded_seed_prices() { return embedded::kSeedPrices; }

}  // namespace gpuassay
