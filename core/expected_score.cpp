#include "core/expected_score.h"

#include "core/assay_index.h"
#include "core/estimate.h"
#include "core/gpu_names.h"
#include "core/gpu_peaks.h"
#include "core/stats.h"

namespace gpuassay {
namespace {

constexpr int kExpectedDigits = 6;

bool can_be_estimated(const GpuSpec& spec) {
  const TheoreticalPeak peak = theoretical_peak(spec);
  return !spec.is_board && peak.bandwidth_gb_per_s && peak.tflop_per_s.contains(DType::fp32);
}

/// The row of a whole GPU; null for anything else.
const GpuSpec* whole_gpu(const Device& device) {
  if (device.kind != DeviceKind::cuda || device.mig || device.vgpu) return nullptr;
  const GpuMatch match = find_gpu_spec({device.name, device.memory_bytes, device.sm_count, device.compute_capability});
  const bool is_part = match.mig || match.vgpu;
  return match.spec == nullptr || is_part || !can_be_estimated(*match.spec) ? nullptr : match.spec;
}

/// In the order of the workloads, which is the same for every row.
void add_estimates(const GpuSpec& spec, std::vector<WorkloadScore>& sums) {
  const std::vector<WorkloadEstimate> estimates = estimate_workloads(spec, EstimatePrecision::mixed);
  sums.resize(estimates.size());
  for (std::size_t i = 0; i < estimates.size(); ++i) {
    sums[i].name = estimates[i].name;
    sums[i].workload_class = estimates[i].workload_class;
    sums[i].samples_per_s = sums[i].samples_per_s.value_or(0) + estimates[i].samples_per_s;
  }
}

std::optional<double> rounded_index(const std::vector<WorkloadScore>& mixed) {
  const auto value = assay_index(mixed).value;
  return value ? std::optional(round_significant(*value, kExpectedDigits)) : std::nullopt;
}

}  // namespace

std::optional<double> expected_index(const GpuSpec& spec) {
  if (!can_be_estimated(spec)) return std::nullopt;
  std::vector<WorkloadScore> mixed;
  add_estimates(spec, mixed);
  return rounded_index(mixed);
}

std::optional<double> expected_score(const std::vector<Device>& devices) {
  std::vector<WorkloadScore> mixed;
  for (const Device& device : devices) {
    const GpuSpec* const spec = whole_gpu(device);
    if (spec == nullptr) return std::nullopt;
    add_estimates(*spec, mixed);
  }
  return rounded_index(mixed);
}

}  // namespace gpuassay
