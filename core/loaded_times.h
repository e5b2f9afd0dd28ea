// How long does an operation take while all devices of the instance work without a pause? Pure.
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/device_times.h"
#include "core/model.h"

namespace gpuassay {

/// The times of a device alone, each as many times as long as its like took under sustained load, in which all devices
/// work together. Of products, convolutions and the triad one each is kept under load: it stands for the others of its
/// kind and type. A type that was not kept under load takes what the slowest of those that compute did.
class LoadedTimes final : public DeviceTimes {
 public:
  /// `alone` outlives this.
  LoadedTimes(const DeviceTimes& alone, int device, const std::vector<Measurement>& measurements);

  /// A product or convolution and the triad were kept under load; without, nothing is known.
  [[nodiscard]] bool known() const { return slowest_ > 0 && triad_ > 0; }

  [[nodiscard]] std::optional<OperationTime> of(const OperationParams& params) const override;
  [[nodiscard]] std::optional<double> best_gemm_flops_per_ns(DType dtype) const override;
  [[nodiscard]] std::optional<OperationTime> triad_ns_per_byte() const override;
  [[nodiscard]] std::optional<double> latency_ns(LatencyKind kind) const override { return alone_.latency_ns(kind); }

 private:
  using Kind = std::pair<Workload, DType>;

  void add(const Measurement& measurement);
  [[nodiscard]] double slowdown_of(const Kind& kind) const;

  const DeviceTimes& alone_;
  std::map<Kind, double> slowdowns_;
  double slowest_ = 0, triad_ = 0;  ///< 0: unknown
};

}  // namespace gpuassay
