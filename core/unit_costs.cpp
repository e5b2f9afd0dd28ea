#include "core/unit_costs.h"

#include <fmt/format.h>

#include <cstdlib>

#include "core/score.h"
#include "core/workload_reader.h"

namespace gpuassay {

std::vector<UnitCost> unit_costs(const Score& score, const std::optional<std::string>& price_instance_hour_usd) {
  constexpr double kSecondsPerHour = 3600, kMillion = 1e6, kThousand = 1e3;
  const double usd_per_hour = price_instance_hour_usd ? std::strtod(price_instance_hour_usd->c_str(), nullptr) : 0;
  std::vector<UnitCost> costs;
  if (!(usd_per_hour > 0)) return costs;
  for (const WorkloadScore* const each : mixed_workloads(score)) {
    const WorkloadScore& workload = *each;
    const TracedWorkload* const traced = find_workload(workload.name);
    if (traced == nullptr || !workload.samples_per_s) continue;
    const double samples = traced->unit == "tokens" ? kMillion : kThousand;
    const double usd = usd_per_hour / kSecondsPerHour * samples / *workload.samples_per_s;
    costs.push_back({workload.name, workload.precision,
                     (traced->unit == "tokens" ? "million " : "thousand ") + traced->unit, fmt::format("{:.6f}", usd)});
  }
  return costs;
}

}  // namespace gpuassay
