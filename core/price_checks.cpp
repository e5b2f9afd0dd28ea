#include "core/price_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/gpu_aliases.h"

namespace gpuassay {
namespace {

// Outside these a price of one GPU for one hour is a misread one (docs/PRICES.md, load checks).
constexpr Micros kLowestPlausibleGpuHour = 5'000;
constexpr Micros kHighestPlausibleGpuHour = 200'000'000;
// One K80 device has 12 GB; a stated device with more than this is a board of two.
constexpr Micros kK80BoardAboveGib = 18;
constexpr Micros kTenths = 10;

/// Memory per device within a tenth of a size the model comes in, or either unknown.
bool memory_is_of_model(const PriceRow& row) {
  const auto mib = gpu_memory_mib(row);
  if (!mib) return true;
  const std::vector<Micros> sizes = known_memory_gib(row.gpu_model);
  return sizes.empty() || std::any_of(sizes.begin(), sizes.end(), [&](Micros size) {
           const std::int64_t known_mib = *scaled_quantity(size, 1024);
           return kTenths * std::abs(*mib - known_mib) <= known_mib;
         });
}

}  // namespace

void count_k80_devices(PriceRow& row) {
  if (row.gpu_model != "Tesla K80" || !row.gpu_memory_gib_total || row.gpu_count <= 0 || row.gpu_count > kMostGpus)
    return;
  if (*row.gpu_memory_gib_total > kK80BoardAboveGib * row.gpu_count) row.gpu_count *= 2;
}

std::string reason_to_quarantine(const PriceRow& row) {
  if (row.price_instance_hour && *row.price_instance_hour == 0) return "zero is not a price";
  if (row.price_gpu_hour_usd && row.basis != PriceBasis::storage && row.basis != PriceBasis::vm_only &&
      (*row.price_gpu_hour_usd < kLowestPlausibleGpuHour || *row.price_gpu_hour_usd > kHighestPlausibleGpuHour))
    return "implausible: a GPU and hour cost between 0.005 and 200 USD";
  if (!memory_is_of_model(row)) return fmt::format("no {} has this much memory per device", row.gpu_model);
  return {};
}

bool is_kept(const PriceRow& row) { return row.price_instance_hour && *row.price_instance_hour == 0; }

void warn_about_spot(const std::vector<PriceRow>& rows, ImportReport& report) {
  struct Pair {
    std::optional<Micros> on_demand, spot;
  };
  std::map<std::string, Pair> offers;
  for (const PriceRow& row : rows) {
    const bool spot = row.pricing_model == "spot" || row.pricing_model == "preemptible";
    if ((!spot && row.pricing_model != "on_demand") || row.price_instance_hour.value_or(0) == 0) continue;
    PriceRow plain = row;
    plain.pricing_model = "on_demand";
    plain.zone.reset();  // spot prices are often per zone, on-demand ones per region
    Pair& pair = offers[fmt::format("{} {}", series_key(plain), row.valid_from_ms.value_or(0))];
    std::optional<Micros>& price = spot ? pair.spot : pair.on_demand;
    price = price ? std::min(*price, *row.price_instance_hour) : *row.price_instance_hour;
  }
  std::size_t both = 0;
  std::size_t below = 0;
  std::size_t equal = 0;
  for (const auto& [key, pair] : offers) {
    if (!pair.on_demand || !pair.spot) continue;
    ++both;
    below += *pair.on_demand < *pair.spot ? 1U : 0U;
    equal += *pair.on_demand == *pair.spot ? 1U : 0U;
  }
  if (below > 0) report.warn(fmt::format("{} offers cost less on demand than as spot", below));
  if (both > 0 && equal == both)
    report.warn(fmt::format("spot equals on-demand for all {} offers that have both: one was copied", both));
}

}  // namespace gpuassay
