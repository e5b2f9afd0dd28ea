// How long does an operation take on one device? As it was measured there, or by what was measured of its like. Pure,
// and of additions, multiplications, divisions and comparisons alone, so that every build computes the same digits.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/device_times.h"
#include "core/model.h"

namespace gpuassay {

/// What one device did in bursts, of the measurements that are ok.
class OperationTimes final : public DeviceTimes {
 public:
  OperationTimes(int device, const std::vector<Measurement>& measurements);

  /// Of a product or a convolution. One that was not measured takes its floor - its FLOPs at the highest rate measured
  /// in that type, or its operands at the bandwidth of the triad, whichever lasts longer - times the mean of how much
  /// longer than theirs the operations of the same kind and type took, each weighted by the inverse square of how many
  /// times larger or smaller it is, over all its dimensions. Empty where fewer than three of that kind and type were
  /// measured.
  [[nodiscard]] std::optional<OperationTime> of(const OperationParams& params) const override;
  [[nodiscard]] std::optional<double> best_gemm_flops_per_ns(DType dtype) const override;
  [[nodiscard]] std::optional<OperationTime> triad_ns_per_byte() const override { return triad_ns_per_byte_; }
  [[nodiscard]] std::optional<double> latency_ns(LatencyKind kind) const override;

 private:
  struct Known {
    OperationParams params;
    OperationTime time;
    double slowdown = 1;  ///< time over floor
  };
  /// What is comparable: products or convolutions of one type.
  struct Family {
    std::vector<Known> known;
    double flops_per_ns = 0;  ///< the highest
    double spread = 0;        ///< how far estimates of these very operations are off, a fraction, in the median
  };
  using FamilyKey = std::pair<Workload, DType>;

  void add(const Measurement& measurement);
  [[nodiscard]] double floor_ns(const OperationParams& params, double flops_per_ns) const;
  static std::optional<double> slowdown_of(const OperationParams& params, const Family& family, const Known* left_out);
  static double spread_of(const Family& family);

  std::map<std::string, OperationTime> by_id_;
  std::map<FamilyKey, Family> families_;
  std::optional<OperationTime> triad_ns_per_byte_;
};

/// Bytes of the operands and the result, each once: the least that a product or a convolution moves.
double operand_bytes(const OperationParams& params);

}  // namespace gpuassay
