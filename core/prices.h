// What does one published price say? The normalised price row and how it is identified.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/money.h"

namespace gpuassay {

/// What the amount pays for. Only `instance` and `per_gpu` are offers that a run may be joined with.
enum class PriceBasis { instance, per_gpu, vm_only, gpu_addon, storage, uncertain };
/// How fine the date of the price is; a coarse date starts at the first instant of its period.
enum class DatePrecision { second, day, month, year };
enum class Confidence { exact, inferred, garbled };

/// One published price of one offer during one interval. Empty optionals are unknown, never zero.
struct PriceRow {
  std::string provider;  ///< slug of the contract
  std::optional<std::string> product_line, offer_id, instance_type, region, zone;
  std::string gpu_model;  ///< canonical name
  std::optional<std::string> gpu_variant;
  Micros gpu_count = 0;  ///< millionths of a device, as fractional GPUs are sold
  std::optional<double> gpu_memory_gib_total;
  std::optional<double> vcpus, memory_gib, local_disk_gb;  ///< information and tie-break only
  std::string pricing_model;                               ///< on_demand, spot, preemptible, reserved, monthly
  std::optional<std::int64_t> commitment_months;
  std::string os = "linux", tenancy = "shared";
  PriceBasis basis = PriceBasis::instance;

  std::optional<std::string> amount;          ///< decimal text exactly as published
  std::string currency;                       ///< ISO 4217
  std::string unit;                           ///< hour or month
  std::optional<Micros> price_instance_hour;  ///< in `currency`
  std::optional<Micros> price_instance_hour_usd, price_gpu_hour_usd;

  std::int64_t valid_from_ms = 0;           ///< since the epoch, UTC, closed
  std::optional<std::int64_t> valid_to_ms;  ///< open end; empty = still valid
  std::int64_t observed_at_ms = 0;          ///< last time the source confirmed it
  DatePrecision as_of_precision = DatePrecision::day;
  std::string source_kind;  ///< api, catalog, document, manual
  std::string source;       ///< the file or address, without a row
  std::string source_ref;   ///< file or address, and row
  Confidence confidence = Confidence::exact;
  std::string note;
};

/// What identifies an offer through time: everything but amount, dates and how it was read.
std::string series_key(const PriceRow& row);

/// Stable identity of one price: SHA-256 (hexadecimal) of series key, valid_from and source.
std::string price_id(const PriceRow& row);

/// Fills the computed prices from `amount`, both from the unrounded amount. Without an amount they stay empty, and
/// the USD ones stay empty for a currency without a rate. Throws Error{unreadable_input} for an amount or unit that
/// cannot be read.
void compute_hourly_prices(PriceRow& row);

/// One line of an imported file that did not become a usable price.
struct RefusedLine {
  std::size_t line = 0;
  std::string reason;
};

/// Every data line of the file is in exactly one of the three.
struct ImportReport {
  std::size_t accepted = 0;
  std::vector<RefusedLine> quarantined;  ///< a price, but not a plausible one
  std::vector<RefusedLine> rejected;     ///< not the price of an offer
};

/// What a file said: rows ready for the store, and what became of each line.
struct PriceImport {
  std::vector<PriceRow> rows;
  ImportReport report;
};

}  // namespace gpuassay
