#include "core/estimate.h"

#include "core/error.h"
#include "core/gpu_peaks.h"
#include "core/predict.h"
#include "core/stats.h"
#include "core/workload_reader.h"

namespace gpuassay {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
constexpr int kEstimateDigits = 4;

WorkloadEstimate estimate_of(const WorkloadPrediction& prediction, const GpuSpec& spec) {
  if (!prediction.step) throw Error(ErrorCode::internal, "no estimate for " + spec.gpu + ": its row says too little");
  const TracedWorkload& workload = *prediction.workload;
  const bool mixed = prediction.precision == WorkloadPrecision::mixed;
  const DType dtype = mixed ? prediction.types.half : prediction.types.fp32;
  // Mixed precision that has fp32 in the place of 16 bits needs the memory of full precision.
  const bool halved = mixed && prediction.types.half != prediction.types.fp32;
  const TracedPrecision& traced = workload.in(halved ? WorkloadPrecision::mixed : WorkloadPrecision::full);
  const auto per_s = [&](double step_ns) {
    return round_significant(prediction.samples_per_s(step_ns), kEstimateDigits);
  };
  return {workload.id,
          workload.workload_class,
          workload.unit,
          prediction.precision,
          dtype,
          per_s(prediction.step->step_ns),
          per_s(prediction.step->high_ns),
          per_s(prediction.step->low_ns),
          static_cast<double>(traced.memory.peak_bytes) + kOutsideTensorsBytes <= spec.memory_gib * kGiB};
}

}  // namespace

std::vector<WorkloadEstimate> estimate_workloads(const GpuSpec& spec, EstimatePrecision precision,
                                                 const EstimateEfficiencies& efficiencies) {
  if (spec.is_board) throw Error(ErrorCode::internal, spec.gpu + " is several devices; estimates are of one");
  Device device;
  device.kind = DeviceKind::cuda;
  device.name = spec.nvml_names.front();
  device.compute_capability = spec.compute_capability;
  device.sm_count = spec.sm_count;
  device.limits.emplace().max_sm_clock_mhz = highest_sm_clock_mhz(spec);
  std::vector<WorkloadEstimate> estimates;
  // In pairs: full, then mixed.
  const std::vector<WorkloadPrediction> predictions =
      predict_workloads(core_workloads(), device, SpecifiedTimes(spec, efficiencies));
  for (std::size_t i = 0; i + 1 < predictions.size(); i += 2) {
    const WorkloadEstimate full = estimate_of(predictions[i], spec);
    const WorkloadEstimate mixed = estimate_of(predictions[i + 1], spec);
    const bool take_mixed = precision == EstimatePrecision::mixed ||
                            (precision == EstimatePrecision::best && mixed.samples_per_s > full.samples_per_s);
    estimates.push_back(take_mixed ? mixed : full);
  }
  return estimates;
}

}  // namespace gpuassay
