#include "core/prices.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/signature.h"

namespace gpuassay {
namespace {

/// Appends a field so that no two different lists of fields give the same text; null differs from empty.
void append_field(std::string& key, const std::optional<std::string>& field) {
  key += field ? fmt::format("{}:{}|", field->size(), *field) : "-|";
}

std::optional<std::string> number_text(const std::optional<double>& number) {
  return number ? std::optional(fmt::format("{}", *number)) : std::nullopt;
}

constexpr Micros kMostGpus = 100'000'000'000;  // 100,000 devices: more is a misread number

Decimal hours_per(std::string_view unit) {
  if (unit == "hour") return {1, 0};
  if (unit == "month") return {kHoursPerMonth, 0};
  if (unit == "year") return {kHoursPerYear, 0};
  throw Error(ErrorCode::unreadable_input, fmt::format("'{}' is not a unit of time; use hour, month or year", unit));
}

}  // namespace

std::string series_key(const PriceRow& row) {
  std::string key;
  append_field(key, row.provider);
  append_field(key, row.product_line);
  if (row.offer_id || row.instance_type) {
    append_field(key, row.offer_id ? row.offer_id : row.instance_type);
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
  append_field(key, row.commitment_months ? std::optional(fmt::format("{}", *row.commitment_months)) : std::nullopt);
  append_field(key, row.os);
  append_field(key, row.tenancy);
  append_field(key, row.currency);
  append_field(key, row.source);
  return key;
}

std::string price_id(const PriceRow& row) {
  return sha256_hex(fmt::format("{}\n{}\n{}", series_key(row), row.valid_from_ms, row.source));
}

void compute_hourly_prices(PriceRow& row) {
  const Decimal hours = hours_per(row.unit);
  if (row.gpu_count <= 0 || row.gpu_count > kMostGpus)
    throw Error(ErrorCode::unreadable_input, "the GPU count is not between 0 and 100000; repair it");
  if (!row.amount) return;
  const Decimal amount = parse_decimal(*row.amount);
  const Decimal count{static_cast<std::uint64_t>(row.gpu_count), 6};
  const Decimal hours_times_count{hours.digits * count.digits, count.places};
  const bool per_gpu = row.basis == PriceBasis::per_gpu || row.basis == PriceBasis::gpu_addon;
  row.price_instance_hour = scaled_micros(amount, per_gpu ? count : Decimal{1, 0}, hours);
  if (row.currency != "USD") return;
  row.price_instance_hour_usd = row.price_instance_hour;
  row.price_gpu_hour_usd = scaled_micros(amount, {1, 0}, per_gpu ? hours : hours_times_count);
}

}  // namespace gpuassay
