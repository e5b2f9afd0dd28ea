// How fast is a GPU that did not run the operations itself? As its twin, which did, in proportion to what both ran.
// Pure.
#pragma once

#include "core/operation_times.h"

namespace gpuassay {

/// The operations of a GPU of the same kind, longer by the ratio of their square products, with its own triad and
/// latencies: eight GPUs cannot all run the operations within the limits of time and document.
class TwinTimes final : public DeviceTimes {
 public:
  /// Both outlive this. `slowdown`: how much longer an operation takes than on `twin`.
  TwinTimes(const OperationTimes& twin, const OperationTimes& own, double slowdown)
      : twin_(twin), own_(own), slowdown_(slowdown) {}

  [[nodiscard]] std::optional<OperationTime> of(const OperationParams& params) const override;
  [[nodiscard]] std::optional<double> best_gemm_flops_per_ns(DType dtype) const override;
  [[nodiscard]] std::optional<OperationTime> triad_ns_per_byte() const override { return own_.triad_ns_per_byte(); }
  [[nodiscard]] std::optional<double> latency_ns(LatencyKind kind) const override;

 private:
  const OperationTimes& twin_;
  const OperationTimes& own_;
  double slowdown_;
};

}  // namespace gpuassay
