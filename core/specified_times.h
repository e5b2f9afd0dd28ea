// How long does an operation take on a GPU of which only the datasheet is known? By its peaks, its bandwidth, and the
// shares of them that others reach. Pure, and of additions, multiplications, divisions and comparisons alone.
// docs/ESTIMATE.md has the formulas; scripts/specified_times.py computes the same.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "core/device_times.h"
#include "core/gpu_specs.h"

namespace gpuassay {

/// What an operation reaches of a peak: convolutions and products apart.
struct PeakShares {
  double conv = 1, gemm = 1;
};

/// What GPUs make of their specification, fitted by scripts/fit_estimate.
struct EstimateEfficiencies {
  PeakShares fp16, tf32;  ///< on tensor cores
  PeakShares fp32;        ///< on lanes
  double start_ns = 0;    ///< before every product and convolution
  double operands = 1;    ///< share of the bandwidth at which operands come
  double not_hidden = 0;  ///< share of the shorter of computing and moving that the longer does not hide
  /// Other kernels' share of the bandwidth: `traffic` / (1 + `traffic_slowdown` * bytes per FLOP of the fp32 lanes), at
  /// most `traffic_most`. May be above 1: FrameworkCosts says what a GPU with much bandwidth loses.
  double traffic = 1, traffic_slowdown = 0, traffic_most = 1;
  double graph_launch_ns = 0, kernel_launch_ns = 0;
  /// How far off throughputs were: with published ones of the compute capability, and without.
  double error = 0, error_unseen = 0;
  std::set<std::string, std::less<>> capabilities;  ///< with published ones
};

/// Reads a table with the columns of core/data/estimate_efficiencies.csv. Throws Error{unreadable_input} naming what is
/// missing or is no positive number.
EstimateEfficiencies parse_estimate_efficiencies(std::string_view csv);

/// The embedded table, read once.
const EstimateEfficiencies& estimate_efficiencies();

/// Of one device: not for rows of whole boards.
class SpecifiedTimes final : public DeviceTimes {
 public:
  explicit SpecifiedTimes(const GpuSpec& spec, const EstimateEfficiencies& efficiencies = estimate_efficiencies());

  /// Computing is FLOPs at the type's share of its peak, moving is the operands at their share of the bandwidth: the
  /// longer, a part of the shorter, and the start. Empty for types without a peak here. `low_ns` and `high_ns` are as
  /// far off as throughputs were.
  [[nodiscard]] std::optional<OperationTime> of(const OperationParams& params) const override;
  [[nodiscard]] std::optional<double> best_gemm_flops_per_ns(DType dtype) const override;
  /// What a byte takes in kernels that do nothing else, which is the triad's time where that was measured.
  [[nodiscard]] std::optional<OperationTime> triad_ns_per_byte() const override;
  [[nodiscard]] std::optional<double> latency_ns(LatencyKind kind) const override;

  /// How far off its times may be, a fraction.
  [[nodiscard]] double error() const { return error_; }

 private:
  struct Rate {
    double conv_flops_per_ns = 0, gemm_flops_per_ns = 0;
  };

  void add(DType dtype, std::optional<double> tflop_per_s, const PeakShares& shares);
  [[nodiscard]] OperationTime with_error(double ns) const { return {ns, ns / (1 + error_), ns * (1 + error_), false}; }

  EstimateEfficiencies efficiencies_;
  std::map<DType, Rate> rates_;
  std::optional<double> bytes_per_ns_;
  double traffic_share_ = 1;
  double error_ = 0;
};

}  // namespace gpuassay
