// What does one published price say? The normalised price row, how it is identified and what it costs in dollars an
// hour.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/fx_rates.h"
#include "core/money.h"

namespace gpuassay {

/// What the amount pays for. Only `instance` and `per_gpu` are offers that a run may be joined with.
enum class PriceBasis { instance, per_gpu, vm_only, gpu_addon, storage, uncertain };
/// How fine the date of the price is; a coarse date starts at the first instant of its period.
enum class DatePrecision { second, day, month, year };
enum class Confidence { exact, inferred, garbled };
/// What a recurring amount is for; a term is the whole commitment.
enum class PriceUnit { second, hour, month, year, term };
enum class TaxTreatment { excluded, included, unknown };

/// One published price of one offer during one interval. Empty optionals are unknown, never zero. Quantities are in
/// millionths, as fractions of devices are sold.
struct PriceRow {
  std::optional<std::string> given_id;  ///< identity that the file states
  std::string provider;                 ///< slug of the contract
  std::optional<std::string> product_line, offer_id, instance_type, region, zone;
  std::string gpu_model;  ///< canonical name
  std::optional<std::string> gpu_variant;
  Micros gpu_count = 0;
  std::optional<Micros> gpu_memory_gib_total;
  std::optional<Micros> vcpus, memory_gib, local_disk_gb;  ///< information and tie-break only
  std::string pricing_model;                               ///< on_demand, spot, preemptible, reserved, monthly
  std::optional<std::int64_t> commitment_months;
  std::string os = "linux", tenancy = "shared";
  PriceBasis basis = PriceBasis::instance;
  bool component_missing = false;  ///< derived from parts of which one has no price

  std::optional<std::string> amount;          ///< decimal text exactly as published
  std::optional<std::string> upfront_amount;  ///< decimal text, paid once for the term
  std::string currency = "USD";               ///< ISO 4217
  PriceUnit unit = PriceUnit::hour;
  std::optional<std::string> hours_per_unit;  ///< decimal text where the source counts otherwise than 1, 730, 8760
  TaxTreatment tax = TaxTreatment::excluded;
  std::optional<std::string> tax_rate;        ///< decimal text, 0.19; with `included`
  std::optional<Micros> price_instance_hour;  ///< in `currency`, net of tax
  std::optional<std::string> fx_rate, fx_date, fx_source;
  std::optional<Micros> price_instance_hour_usd, price_gpu_hour_usd;

  std::optional<std::int64_t> valid_from_ms;  ///< since the epoch, UTC, closed; empty = undated
  std::optional<std::int64_t> valid_to_ms;    ///< open end; empty = still valid
  std::int64_t observed_at_ms = 0;            ///< last time the source confirmed it
  DatePrecision as_of_precision = DatePrecision::day;
  std::string source_kind;  ///< api, catalog, document, manual
  std::string source;       ///< the file or address, without a row
  std::string source_ref;   ///< file or address, and row
  std::optional<std::string> retrieved_at, license;
  Confidence confidence = Confidence::exact;
  std::string note;
};

/// What identifies an offer through time and across sources: everything but amount, dates, source and how it was read.
std::string series_identity(const PriceRow& row);

/// What identifies an offer through time: its identity and the source.
std::string series_key(const PriceRow& row);

/// Stable identity of one price: the given one, else SHA-256 (hexadecimal) of series key, valid_from and source.
std::string price_id(const PriceRow& row);
/// The same of a price known by the SHA-256 of its series key.
std::string price_id(std::string_view series_hash, std::optional<std::int64_t> valid_from_ms, std::string_view source);

/// Memory of one of `gpu_count` devices in MiB; empty when unknown.
std::optional<std::int64_t> gpu_memory_mib(std::optional<Micros> gib_total, Micros gpu_count);
std::optional<std::int64_t> gpu_memory_mib(const PriceRow& row);

/// More devices, in millionths, than any machine has: a greater count is a misread number.
inline constexpr Micros kMostGpus = 10'000'000'000;

/// Whole divisor-ths of a quantity in millionths, half to even: micros_to(memory_gib, 1024) is MiB.
std::optional<std::int64_t> scaled_quantity(const std::optional<Micros>& quantity, std::int64_t factor);

/// Fills the computed prices from amount, unit, commitment, tax and rate: each from unrounded values, rounded once.
/// Without an amount they stay empty, and the USD ones stay empty for a currency without a rate for the day of
/// valid_from. Throws Error{unreadable_input} for a text or unit that cannot be read.
void compute_hourly_prices(PriceRow& row, const FxTable& rates = {});

}  // namespace gpuassay
