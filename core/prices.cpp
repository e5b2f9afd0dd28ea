#include "core/prices.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/price_text.h"
#include "core/signature.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

/// Appends a field so that no two different lists of fields give the same text; null differs from empty.
void append_field(std::string& key, const std::optional<std::string>& field) {
  if (!field) {
    key += "-|";
    return;
  }
  key += std::to_string(field->size());
  key += ':';
  key += *field;
  key += '|';
}

std::optional<std::string> number_text(const std::optional<Micros>& number) {
  return number ? std::optional(format_micros(*number)) : std::nullopt;
}

std::optional<std::string> month_text(const std::optional<std::int64_t>& months) {
  return months ? std::optional(std::to_string(*months)) : std::nullopt;
}

constexpr std::uint64_t kSecondsPerHour = 3600;

Ratio whole(std::uint64_t number) { return Ratio(Decimal{number, 0}); }

Ratio micros_ratio(Micros micros) { return Ratio(Decimal{static_cast<std::uint64_t>(micros), 6}); }

[[noreturn]] void refuse_row(const std::string& message) { throw Error(ErrorCode::unreadable_input, message); }

Ratio hours_of_term(const PriceRow& row) {
  if (!row.commitment_months) refuse_row("the price is for a term but commitment_months is missing; fill it in");
  return whole(static_cast<std::uint64_t>(*row.commitment_months) * kHoursPerMonth);
}

Ratio hours_per_unit(const PriceRow& row) {
  if (row.hours_per_unit && row.unit != PriceUnit::second) return Ratio(parse_decimal(*row.hours_per_unit));
  switch (row.unit) {
    case PriceUnit::second: return whole(1).over(whole(kSecondsPerHour));
    case PriceUnit::hour: return whole(1);
    case PriceUnit::month: return whole(kHoursPerMonth);
    case PriceUnit::year: return whole(kHoursPerYear);
    case PriceUnit::term: return hours_of_term(row);
  }
  throw Error(ErrorCode::internal, "a price has no unit; report this as a bug");
}

/// What an hour costs in the row's currency before it is multiplied or divided by devices, net of tax.
Ratio net_hour(const PriceRow& row) {
  Ratio hour = Ratio(parse_decimal(*row.amount)).over(hours_per_unit(row));
  if (row.upfront_amount) hour = hour.plus(Ratio(parse_decimal(*row.upfront_amount)).over(hours_of_term(row)));
  if (row.tax == TaxTreatment::included && row.tax_rate)
    hour = hour.over(whole(1).plus(Ratio(parse_decimal(*row.tax_rate))));
  return hour;
}

/// The rate to dollars; empty when there is none for the price's day.
std::optional<Ratio> find_rate(PriceRow& row, const FxTable& rates) {
  row.fx_rate.reset();
  row.fx_date.reset();
  row.fx_source.reset();
  if (row.currency == "USD") {
    row.fx_rate = "1";
    return whole(1);
  }
  if (!row.valid_from_ms) return std::nullopt;
  const std::int64_t into_day_ms = (*row.valid_from_ms % kMsPerDay + kMsPerDay) % kMsPerDay;
  const FxRate* const rate = rates.find(row.currency, (*row.valid_from_ms - into_day_ms) / kMsPerDay);
  if (rate == nullptr) return std::nullopt;
  row.fx_rate = rate->usd_per_unit;
  row.fx_date = day_text(rate->day * kMsPerDay);
  row.fx_source = rate->source;
  return Ratio(parse_decimal(rate->usd_per_unit));
}

}  // namespace

std::string series_identity(const PriceRow& row) {
  std::string key;
  append_field(key, row.provider);
  append_field(key, row.product_line);
  if (row.offer_id) {
    append_field(key, row.offer_id);
  } else if (row.instance_type) {
    append_field(key, instance_key(*row.instance_type));
  } else {  // the shape stands for the missing name
    append_field(key, number_text(row.vcpus));
    append_field(key, number_text(row.memory_gib));
    append_field(key, number_text(row.local_disk_gb));
    append_field(key, number_text(row.gpu_memory_gib_total));
  }
  append_field(key, row.region);
  append_field(key, row.zone);
  append_field(key, row.gpu_model);
  append_field(key, row.gpu_variant);
  append_field(key, format_micros(row.gpu_count));
  append_field(key, row.pricing_model);
  append_field(key, month_text(row.commitment_months));
  append_field(key, row.os);
  append_field(key, row.tenancy);
  append_field(key, row.currency);
  // Parts of an offer and the offer put together of them stand beside each other.
  append_field(key, row.basis == PriceBasis::vm_only || row.basis == PriceBasis::gpu_addon
                        ? std::optional<std::string>(row.basis == PriceBasis::vm_only ? "vm_only" : "gpu_addon")
                        : std::nullopt);
  return key;
}

std::string series_key(const PriceRow& row) {
  std::string key = series_identity(row);
  append_field(key, row.source);
  return key;
}

std::string price_id(const PriceRow& row) {
  return row.given_id ? *row.given_id : price_id(sha256_hex(series_key(row)), row.valid_from_ms, row.source);
}

std::string price_id(std::string_view series_hash, std::optional<std::int64_t> valid_from_ms, std::string_view source) {
  return sha256_hex(
      fmt::format("{}\n{}\n{}", series_hash, valid_from_ms ? std::to_string(*valid_from_ms) : "undated", source));
}

std::optional<std::int64_t> scaled_quantity(const std::optional<Micros>& quantity, std::int64_t factor) {
  if (!quantity) return std::nullopt;
  constexpr std::int64_t kMicrosPerUnit = 1'000'000;
  const Micros whole_part = *quantity / kMicrosPerUnit * factor;
  return whole_part + divide_half_even(*quantity % kMicrosPerUnit * factor, kMicrosPerUnit);
}

std::optional<std::int64_t> gpu_memory_mib(std::optional<Micros> gib_total, Micros gpu_count) {
  if (!gib_total || gpu_count <= 0) return std::nullopt;
  constexpr std::uint64_t kMibPerGib = 1024;
  const Ratio mib = micros_ratio(*gib_total).times(whole(kMibPerGib)).over(micros_ratio(gpu_count));
  return divide_half_even(mib.micros(), 1'000'000);
}

std::optional<std::int64_t> gpu_memory_mib(const PriceRow& row) {
  return gpu_memory_mib(row.gpu_memory_gib_total, row.gpu_count);
}

void compute_hourly_prices(PriceRow& row, const FxTable& rates) {
  if (row.gpu_count <= 0 || row.gpu_count > kMostGpus)
    refuse_row("the GPU count is not between 0 and 10000; repair it");
  row.price_instance_hour.reset();
  row.price_instance_hour_usd.reset();
  row.price_gpu_hour_usd.reset();
  if (row.unit == PriceUnit::term || row.upfront_amount) (void)hours_of_term(row);
  const std::optional<Ratio> rate = find_rate(row, rates);
  if (!row.amount) return;
  const Ratio hour = net_hour(row);
  const Ratio count = micros_ratio(row.gpu_count);
  const bool per_gpu = row.basis == PriceBasis::per_gpu || row.basis == PriceBasis::gpu_addon;
  const Ratio instance = per_gpu ? hour.times(count) : hour;
  row.price_instance_hour = instance.micros();
  if (!rate) return;
  row.price_instance_hour_usd = instance.times(*rate).micros();
  row.price_gpu_hour_usd = (per_gpu ? hour : hour.over(count)).times(*rate).micros();
}

}  // namespace gpuassay
