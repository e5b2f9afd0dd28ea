#include "core/loaded_times.h"

#include <algorithm>
#include <cmath>

#include "core/operations.h"
#include "core/stats.h"

namespace gpuassay {
namespace {

std::optional<DType> computed_type(const OperationParams& params) {
  if (const auto* gemm = std::get_if<GemmParams>(&params)) return gemm->dtype;
  if (const auto* conv = std::get_if<ConvParams>(&params)) return conv->dtype;
  return std::nullopt;
}

OperationTime longer(const OperationTime& time, double factor) {
  return {factor * time.median_ns, factor * time.low_ns, factor * time.high_ns, time.measured};
}

}  // namespace

LoadedTimes::LoadedTimes(const DeviceTimes& alone, int device, const std::vector<Measurement>& measurements)
    : alone_(alone) {
  for (const Measurement& m : measurements) {
    if (m.device == device && m.regime == Regime::sustained && m.status == CaseStatus::ok && !m.samples_ns.empty())
      add(m);
  }
}

void LoadedTimes::add(const Measurement& measurement) {
  const auto dtype = computed_type(measurement.params);
  std::optional<double> alone_ns;
  if (dtype) {
    const auto time = alone_.of(measurement.params);
    if (time) alone_ns = time->median_ns;
  } else if (is_triad(measurement.params)) {
    const auto per_byte = alone_.triad_ns_per_byte();
    if (per_byte) alone_ns = per_byte->median_ns * byte_count(measurement.params);
  }
  if (!alone_ns) return;
  const double slowdown = median(measurement.samples_ns) / *alone_ns;
  if (!std::isfinite(slowdown) || slowdown <= 0) return;
  if (!dtype) {
    triad_ = std::max(triad_, slowdown);
    return;
  }
  double& of_kind = slowdowns_[{measurement.workload, *dtype}];
  of_kind = std::max(of_kind, slowdown);
  slowest_ = std::max(slowest_, slowdown);
}

double LoadedTimes::slowdown_of(const Kind& kind) const {
  const auto found = slowdowns_.find(kind);
  return found == slowdowns_.end() ? slowest_ : found->second;
}

std::optional<OperationTime> LoadedTimes::of(const OperationParams& params) const {
  const auto time = alone_.of(params);
  const auto dtype = computed_type(params);
  if (!time || !dtype || !known()) return std::nullopt;
  return longer(*time, slowdown_of({workload_of(params), *dtype}));
}

std::optional<double> LoadedTimes::best_gemm_flops_per_ns(DType dtype) const {
  const auto best = alone_.best_gemm_flops_per_ns(dtype);
  return best && known() ? std::optional(*best / slowdown_of({Workload::gemm, dtype})) : std::nullopt;
}

std::optional<OperationTime> LoadedTimes::triad_ns_per_byte() const {
  const auto per_byte = alone_.triad_ns_per_byte();
  return per_byte && known() ? std::optional(longer(*per_byte, triad_)) : std::nullopt;
}

}  // namespace gpuassay
