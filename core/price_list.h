// Which offers are there at an instant, and which gives most score for a dollar?
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/database.h"
#include "core/price_join.h"

namespace gpuassay {

struct PriceFilter {
  std::optional<std::string> provider, gpu_model, region;
  std::string pricing_model = "on_demand";  ///< spot and preemptible are one class
  std::optional<Micros> gpu_count;
  std::int64_t valid_at_ms = 0;
  std::int64_t max_age_days = 90;
};

/// One offer in force. Linux and shared only, with a price in dollars.
struct ListedPrice {
  std::string price_id, provider;
  std::optional<std::string> product_line, instance_type, region;
  std::string gpu_model;
  std::optional<std::string> gpu_variant;
  Micros gpu_count = 0;
  std::optional<std::int64_t> gpu_memory_mib;
  std::string pricing_model;
  std::optional<std::int64_t> commitment_months;
  Micros price_instance_hour_usd = 0, price_gpu_hour_usd = 0;
  std::int64_t age_days = 0;
  bool stale = false;
  std::string as_of_precision, source_ref;
  // With measured results: the median score of those of this GPU, per dollar of this offer.
  std::optional<double> score, score_per_usd_hour;
  bool count_scaled = false;  ///< the results are of another count; the score was taken per GPU
};

/// The offers that pass, cheapest per GPU first, ties by price_id.
std::vector<ListedPrice> list_prices(Database& database, const PriceFilter& filter);

/// Gives each offer the score of the measured machines with the same GPU (memory within a tenth, variant not
/// contradicting; those of the same count if there are any) and sorts by score per dollar, best first; offers of GPUs
/// nobody measured are left out.
std::vector<ListedPrice> rank_by_score(std::vector<ListedPrice> offers, const std::vector<PriceQuestion>& measured);

}  // namespace gpuassay
