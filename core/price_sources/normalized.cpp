// The normalised CSV of docs/PRICES.md: every field by its own name.
#include <fmt/format.h>

#include <algorithm>

#include "core/ascii.h"
#include "core/csv_columns.h"
#include "core/gpu_aliases.h"
#include "core/price_compose.h"
#include "core/price_names.h"
#include "core/price_sources/readers.h"
#include "core/provider_names.h"

namespace gpuassay {
namespace {

template <class E>
E read_name(std::string_view text) {
  if (const auto value = from_name<E>(text)) return *value;
  std::string known;
  for (const auto& [value, name] : EnumNames<E>::values) known += fmt::format("{}{}", known.empty() ? "" : ", ", name);
  throw Error(ErrorCode::unreadable_input, fmt::format("'{}' is none of {}", text.substr(0, 40), known));
}

Micros read_quantity(std::string_view text) { return parse_micros(text); }
std::string read_amount(std::string_view text) {
  (void)parse_decimal(text);
  return std::string(text);
}

/// A fraction: a rate written as per cent would divide the price by twenty.
std::string read_tax_rate(std::string_view text) {
  const std::string rate = read_amount(text);
  constexpr Micros kWhole = 1'000'000;
  if (parse_micros(rate) >= kWhole) throw Error(ErrorCode::unreadable_input, "is not below 1; write 0.19 for 19 %");
  return rate;
}
std::string read_word(std::string_view text) { return lower_case(text); }
std::string read_kind(std::string_view text) {
  for (const std::string_view known : {"api", "catalog", "document", "manual"}) {
    if (text == known) return std::string(text);
  }
  throw Error(ErrorCode::unreadable_input,
              fmt::format("'{}' is none of api, catalog, document, manual", text.substr(0, 40)));
}

/// A price that came out of a store of ours keeps its identity. Ids break ties, so their order must be the same under
/// every collation of a database: that of digits and lower-case letters is.
std::string read_id(std::string_view text) {
  constexpr std::size_t kLongestId = 64;
  const bool fine = text.size() <= kLongestId && std::all_of(text.begin(), text.end(), [](char c) {
                      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
                    });
  if (!fine) throw Error(ErrorCode::unreadable_input, "a price_id has at most 64 lower-case letters and digits");
  return std::string(text);
}

void read_offer(const CsvColumns& file, PriceRow& row) {
  row.provider = file.read("provider", provider_slug);
  row.product_line = file.optional_cell("product_line");
  row.offer_id = file.optional_cell("offer_id");
  row.instance_type = file.optional_cell("instance_type");
  row.region = file.optional_cell("region");
  row.zone = file.optional_cell("zone");
  row.gpu_count = file.read("gpu_count", read_quantity);
  const auto memory = file.read_optional("gpu_memory_gib_total", read_quantity);
  row.gpu_memory_gib_total = memory;
  std::optional<Micros> each;
  if (memory && row.gpu_count > 0) {
    const auto mib = gpu_memory_mib(row);
    each = *mib * 1'000'000 / 1024;
  }
  const GpuName gpu = file.read(
      "gpu_model", [&](std::string_view name) { return resolve_gpu_name(name, each, file.cell("gpu_variant")); });
  row.gpu_model = gpu.model;
  row.gpu_variant = gpu.variant;
  if (!memory) set_gpu_memory(row, gpu.memory_gib);
  row.vcpus = file.read_optional("vcpus", read_quantity);
  row.memory_gib = file.read_optional("memory_gib", read_quantity);
  row.local_disk_gb = file.read_optional("local_disk_gb", read_quantity);
  row.pricing_model = file.read("pricing_model", read_pricing_model);
  row.commitment_months = file.read_optional("commitment_months", read_months);
  if (row.pricing_model == "monthly" && !row.commitment_months) row.commitment_months = 1;
  row.os = file.read_optional("os", read_word).value_or("linux");
  row.tenancy = file.read_optional("tenancy", read_word).value_or("shared");
}

void read_money(const CsvColumns& file, PriceRow& row) {
  row.basis = file.read_optional("price_basis", read_name<PriceBasis>).value_or(PriceBasis::instance);
  row.amount = file.read_optional("amount", read_amount);
  row.upfront_amount = file.read_optional("upfront_amount", read_amount);
  row.currency = file.read("currency", read_currency);
  row.unit = file.read("unit", read_name<PriceUnit>);
  row.hours_per_unit = file.read_optional("hours_per_unit", read_amount);
  row.tax_rate = file.read_optional("tax_rate", read_tax_rate);
  row.tax = file.read_optional("tax", read_name<TaxTreatment>).value_or(TaxTreatment::excluded);
}

void read_dates(const CsvColumns& file, const SourceContext& context, PriceRow& row) {
  std::optional<AsOf> from = file.read_optional("valid_from", read_as_of);
  if (!from) from = context.as_of;
  if (from) {
    row.valid_from_ms = from->first_ms;
    row.as_of_precision = from->precision;
  }
  const auto precision = file.read_optional("as_of_precision", read_name<DatePrecision>);
  if (precision) row.as_of_precision = *precision;
  if (const auto to = file.read_optional("valid_to", read_as_of)) row.valid_to_ms = to->first_ms;
  if (row.valid_to_ms && (!row.valid_from_ms || *row.valid_to_ms <= *row.valid_from_ms))
    file.refuse("valid_to", "the price ends before it begins");
  const auto observed = file.read_optional("observed_at", read_as_of);
  if (observed && row.valid_from_ms && observed->first_ms < *row.valid_from_ms)
    file.refuse("observed_at", "nobody can have seen the price before valid_from");
  row.observed_at_ms = observed ? observed->first_ms : row.valid_from_ms.value_or(0);
}

/// The file or address in a source_ref that may end with a row: "list.csv line 3", "https://x/y#12".
std::string without_row(const std::string& source_ref) {
  std::size_t end = source_ref.size();
  while (end > 0 && source_ref[end - 1] >= '0' && source_ref[end - 1] <= '9') --end;
  std::string_view rest = std::string_view(source_ref).substr(0, end);
  for (const std::string_view mark : {" line ", " row ", " item ", "#L", "#", ":"}) {
    if (end < source_ref.size() && rest.ends_with(mark)) return std::string(rest.substr(0, rest.size() - mark.size()));
  }
  return source_ref;
}

void read_provenance(const CsvColumns& file, PriceRow& row) {
  row.source_kind = file.read_optional("source_kind", read_kind).value_or("manual");
  const auto source = file.optional_cell("source");
  const auto reference = file.optional_cell("source_ref");
  row.source = source ? *source : reference ? without_row(*reference) : "normalized";
  row.retrieved_at = file.optional_cell("retrieved_at");
  row.license = file.optional_cell("license");
  row.confidence = file.read_optional("confidence", read_name<Confidence>).value_or(Confidence::exact);
  row.note = file.cell("note");
  row.source_ref = reference.value_or("");
  row.given_id = file.read_optional("price_id", read_id);
}

}  // namespace

PriceImport read_normalized_prices(ByteSource& source, const SourceContext& context) {
  CsvColumns file(source, {"provider", "gpu_model", "gpu_count", "pricing_model", "amount", "currency", "unit"},
                  "normalized price file");
  if (!file.has("valid_from") && !context.as_of && !file.has("observed_at"))
    throw Error(ErrorCode::unreadable_input, "the file has no column valid_from; add it, or say --as-of DATE");
  RowCollector rows(context);
  while (file.next()) {
    rows.add(fmt::format("line {}", file.line()), [&](PriceRow& row) {
      read_offer(file, row);
      read_money(file, row);
      read_dates(file, context, row);
      read_provenance(file, row);
    });
  }
  PriceImport import = rows.finish(false);
  add_composed_offers(import, context.rates);
  return import;
}

}  // namespace gpuassay
