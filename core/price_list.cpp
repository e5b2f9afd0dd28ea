#include "core/price_list.h"

#include <algorithm>
#include <tuple>

#include "core/price_text.h"
#include "core/prices.h"
#include "core/stats.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

constexpr std::string_view kSelect = R"(
SELECT price_id, provider, product_line, instance_type, region, gpu_model, gpu_variant, gpu_count_micro, gpu_memory_mib,
  pricing_model, commitment_months, price_instance_hour_usd_micro, price_gpu_hour_usd_micro, observed_at_ms,
  as_of_precision, source_ref
FROM price
WHERE price_basis IN ('instance', 'per_gpu') AND component_missing = 0 AND os = 'linux' AND tenancy = 'shared'
  AND price_instance_hour_usd_micro > 0 AND price_gpu_hour_usd_micro > 0
  AND valid_from_ms <= ?1 AND (valid_to_ms IS NULL OR ?1 < valid_to_ms)
  AND CASE pricing_model WHEN 'preemptible' THEN 'spot' ELSE pricing_model END
    = CASE ?2 WHEN 'preemptible' THEN 'spot' ELSE ?2 END
  AND (provider = ?3 OR ?3 IS NULL) AND (gpu_model = ?4 OR ?4 IS NULL)
  AND (region = ?5 OR region = '*' OR ?5 IS NULL) AND (gpu_count_micro = ?6 OR ?6 IS NULL)
ORDER BY price_gpu_hour_usd_micro, price_id)";

ListedPrice read_listed(const Statement& row, const PriceFilter& filter) {
  ListedPrice price;
  price.price_id = row.text(0);
  price.provider = row.text(1);
  price.product_line = row.optional_text(2);
  price.instance_type = row.optional_text(3);
  price.region = row.optional_text(4);
  price.gpu_model = row.text(5);
  price.gpu_variant = row.optional_text(6);
  price.gpu_count = row.integer(7);
  price.gpu_memory_mib = row.optional_integer(8);
  price.pricing_model = row.text(9);
  price.commitment_months = row.optional_integer(10);
  price.price_instance_hour_usd = row.integer(11);
  price.price_gpu_hour_usd = row.integer(12);
  const std::int64_t age_ms = std::max<std::int64_t>(0, filter.valid_at_ms - row.integer(13));
  price.age_days = age_ms / kMsPerDay;
  price.stale = age_ms > filter.max_age_days * kMsPerDay;
  price.as_of_precision = row.text(14);
  price.source_ref = row.text(15);
  return price;
}

bool is_same_gpu(const ListedPrice& offer, const PriceQuestion& machine) {
  if (machine.gpu_model != offer.gpu_model || !machine.score || *machine.score <= 0 || machine.gpu_count <= 0)
    return false;
  if (machine.gpu_variant && offer.gpu_variant && *machine.gpu_variant != *offer.gpu_variant) return false;
  const auto measured_mib = gpu_memory_mib(machine.gpu_memory_gib_total, machine.gpu_count);
  constexpr std::int64_t kTenthsOfWhole = 10;
  return !measured_mib || !offer.gpu_memory_mib ||
         kTenthsOfWhole * std::abs(*offer.gpu_memory_mib - *measured_mib) <= *measured_mib;
}

void score_offer(ListedPrice& offer, const std::vector<PriceQuestion>& measured) {
  std::vector<double> same_count;
  std::vector<double> scaled;
  for (const PriceQuestion& machine : measured) {
    if (!is_same_gpu(offer, machine)) continue;
    const Micros used = machine.gpus_used.value_or(machine.gpu_count);  // the score is theirs
    if (used == offer.gpu_count) same_count.push_back(*machine.score);
    scaled.push_back(*machine.score * static_cast<double>(offer.gpu_count) / static_cast<double>(used));
  }
  if (scaled.empty()) return;
  offer.count_scaled = same_count.empty();
  std::vector<double>& scores = same_count.empty() ? scaled : same_count;
  std::sort(scores.begin(), scores.end());
  offer.score = scores[(scores.size() - 1) / 2];
  constexpr int kDigits = 6;
  constexpr double kMicrosPerUsd = 1e6;
  offer.score_per_usd_hour =
      round_significant(*offer.score * kMicrosPerUsd / static_cast<double>(offer.price_instance_hour_usd), kDigits);
}

}  // namespace

std::vector<ListedPrice> list_prices(Database& database, const PriceFilter& filter) {
  Statement query(database, kSelect);
  query.bind(1, filter.valid_at_ms).bind(2, std::string_view(filter.pricing_model)).bind(3, filter.provider);
  query.bind(4, filter.gpu_model).bind(5, filter.region).bind(6, filter.gpu_count);
  std::vector<ListedPrice> prices;
  while (query.step()) prices.push_back(read_listed(query, filter));
  return prices;
}

std::vector<ListedPrice> rank_by_score(std::vector<ListedPrice> offers, const std::vector<PriceQuestion>& measured) {
  for (ListedPrice& offer : offers) score_offer(offer, measured);
  std::erase_if(offers, [](const ListedPrice& offer) { return !offer.score_per_usd_hour; });
  std::sort(offers.begin(), offers.end(), [](const ListedPrice& left, const ListedPrice& right) {
    return std::tuple(-*left.score_per_usd_hour, left.price_id) <
           std::tuple(-*right.score_per_usd_hour, right.price_id);
  });
  return offers;
}

}  // namespace gpuassay
