#include "core/twin_times.h"

namespace gpuassay {

std::optional<OperationTime> TwinTimes::of(const OperationParams& params) const {
  auto time = twin_.of(params);
  if (time) {
    for (double* ns : {&time->median_ns, &time->low_ns, &time->high_ns}) *ns *= slowdown_;
  }
  return time;
}

std::optional<double> TwinTimes::best_gemm_flops_per_ns(DType dtype) const {
  const auto best = twin_.best_gemm_flops_per_ns(dtype);
  return best ? std::optional(*best / slowdown_) : std::nullopt;
}

std::optional<double> TwinTimes::latency_ns(LatencyKind kind) const {
  const auto own = own_.latency_ns(kind);
  return own ? own : twin_.latency_ns(kind);
}

}  // namespace gpuassay
