// How long does an operation take on one device? The question that measurements and specifications answer alike. Pure.
#pragma once

#include <optional>

#include "core/model.h"

namespace gpuassay {

/// Nanoseconds of one operation. Where it was measured, `low_ns` and `high_ns` are the quartiles of its samples, else
/// as far away as such estimates usually are.
struct OperationTime {
  double median_ns = 0, low_ns = 0, high_ns = 0;
  bool measured = false;
};

/// What predictions are made of (core/predict.h).
class DeviceTimes {
 public:
  DeviceTimes() = default;
  DeviceTimes(const DeviceTimes&) = delete;
  DeviceTimes& operator=(const DeviceTimes&) = delete;
  virtual ~DeviceTimes() = default;

  /// Of a product or a convolution; empty where nothing is known of that kind and type.
  [[nodiscard]] virtual std::optional<OperationTime> of(const OperationParams& params) const = 0;
  /// The most that products of this type reach; empty where none is known.
  [[nodiscard]] virtual std::optional<double> best_gemm_flops_per_ns(DType dtype) const = 0;
  /// What the triad takes to move one byte of device memory.
  [[nodiscard]] virtual std::optional<OperationTime> triad_ns_per_byte() const = 0;
  /// One launch; empty where there is none, as on CPUs.
  [[nodiscard]] virtual std::optional<double> latency_ns(LatencyKind kind) const = 0;
};

}  // namespace gpuassay
