#include "core/assay_index.h"

#include <map>

#include "core/score_reference.h"
#include "core/stats.h"

namespace gpuassay {
namespace {

constexpr double kReferenceIndex = 100;

std::optional<double> mean_index(const std::vector<std::optional<double>>& parts) {
  std::vector<double> known;
  for (const auto& part : parts) {
    if (!part) return std::nullopt;
    known.push_back(*part);
  }
  return known.empty() ? std::nullopt : std::optional(geometric_mean(known));
}

}  // namespace

std::optional<double> over_reference(const WorkloadScore& workload, WorkloadPrecision precision) {
  const auto reference = reference_samples_per_s(kReferenceGpu, workload.name, precision);
  if (!workload.samples_per_s || !reference) return std::nullopt;
  return *workload.samples_per_s / *reference;
}

AssayIndex assay_index(const std::vector<WorkloadScore>& mixed) {
  std::map<WorkloadClass, std::vector<std::optional<double>>> parts;
  for (const WorkloadScore& each : mixed) {
    const auto ratio = over_reference(each, WorkloadPrecision::mixed);
    parts[each.workload_class].push_back(ratio ? std::optional(kReferenceIndex * *ratio) : std::nullopt);
  }
  AssayIndex index;
  index.classes = {mean_index(parts[WorkloadClass::train]), mean_index(parts[WorkloadClass::prefill]),
                   mean_index(parts[WorkloadClass::decode])};
  index.value = mean_index({index.classes.train, index.classes.prefill, index.classes.decode});
  return index;
}

}  // namespace gpuassay
