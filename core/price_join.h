// Which price belongs to a measurement, and how good is the match? Runs core/sql/join.sql on a database's prices.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/database.h"
#include "core/money.h"

namespace gpuassay {

/// What is known about the machine that was measured. Empty optionals are unknown.
struct PriceQuestion {
  std::optional<std::string> provider, instance_type, region;
  std::optional<std::string> gpu_model;  ///< canonical; empty without a GPU or for a mix of models
  std::optional<std::string> gpu_variant;
  Micros gpu_count = 0;
  std::optional<Micros> gpus_used;
  std::optional<Micros> gpu_memory_gib_total, vcpus, memory_gib;
  std::int64_t measured_at_ms = 0;
  std::optional<std::string> pricing_model;
  std::optional<std::int64_t> commitment_months;
  std::optional<double> score;
};

/// One row of the table `options` of join.sql.
struct JoinOptions {
  std::optional<std::string> pricing_model;  ///< instead of the question's own
  std::optional<std::int64_t> commitment_months;
  std::int64_t max_age_days = 90;
  bool rental_equivalent = false;  ///< own hardware may be compared with what others rent
  bool gpu_share = false;          ///< cost the GPUs used instead of the whole machine
};

/// One row of join.sql's output; its column names. Money in millionths of a dollar.
struct PriceAnswer {
  std::string match_level = "none";
  std::optional<std::string> reason, price_id, price_provider, source_ref, amount, currency, unit, fx_rate, fx_date;
  std::optional<Micros> price_instance_hour_usd, price_gpu_hour_usd;
  std::int64_t candidates = 0;
  std::optional<Micros> lowest_gpu_hour_usd, highest_gpu_hour_usd;
  std::optional<std::string> region_match, memory_check, variant_check;
  std::optional<bool> count_scaled;
  std::optional<std::int64_t> age_days;
  std::optional<bool> stale;
  std::optional<std::string> as_of_precision, tax;
  std::string pricing_model;
  bool pricing_model_assumed = false;
  std::optional<std::string> cost_basis;
  std::optional<Micros> cost_hour_usd;
  std::optional<double> score_per_usd_hour;
};

/// The text of core/sql/join.sql.
std::string_view join_sql();

/// One answer for each question, in their order. `database` holds the view `prices`; temporary tables `results`
/// and `options` stand beside it meanwhile. Throws Error{database}.
std::vector<PriceAnswer> join_prices(Database& database, const std::vector<PriceQuestion>& questions,
                                     const JoinOptions& options);

}  // namespace gpuassay
