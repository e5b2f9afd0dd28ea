#include "core/predict.h"

#include <algorithm>

#include "core/gpu_peaks.h"
#include "core/operations.h"

namespace gpuassay {
namespace {

/// Adds up times at their median, low and high alike.
struct Sum {
  double median_ns = 0, low_ns = 0, high_ns = 0;

  void add(const OperationTime& time, double factor) {
    median_ns += factor * time.median_ns;
    low_ns += factor * time.low_ns;
    high_ns += factor * time.high_ns;
  }
};

OperationTime scaled(const OperationTime& time, double factor) {
  return {factor * time.median_ns, factor * time.low_ns, factor * time.high_ns, time.measured};
}

OperationTime longer(const OperationTime& a, const OperationTime& b) { return a.median_ns >= b.median_ns ? a : b; }

class Step {
 public:
  Step(const OperationTimes& times, LaunchMode mode)
      : times_(times),
        triad_(times.triad_ns_per_byte()),
        empty_kernel_ns_(mode == LaunchMode::graph ? times.latency_ns(LatencyKind::graph_launch).value_or(0) : 0),
        launch_ns_(mode == LaunchMode::eager ? times.latency_ns(LatencyKind::kernel_launch).value_or(0) : 0) {}

  /// False where nothing is known of it.
  bool add(const TracedOperation& operation, DType dtype, WorkloadPrecision precision) {
    const auto* const attention = std::get_if<TracedAttention>(&operation.params);
    const auto time = attention != nullptr ? time_of(*attention, dtype, operation, precision)
                                           : times_.of(*measurable_params(operation, dtype));
    if (!time) return false;
    add(attention != nullptr ? attention_ : operations_, *time, operation.count, launch_count(operation));
    if (attention != nullptr) return true;
    const double flops = static_cast<double>(operation.count) * flop_count(operation);
    flops_ += flops;
    if (time->measured) covered_flops_ += flops;
    return true;
  }

  void add(const MemoryTraffic& traffic) {
    add(traffic_, scaled(*triad_, byte_count(traffic)), traffic.count, traffic.launches);
  }

  [[nodiscard]] StepPrediction prediction() const {
    StepPrediction step{operations_.median_ns, attention_.median_ns, traffic_.median_ns};
    const double kernels_ns = step.operations_ns + step.attention_ns + step.traffic_ns;
    const double launching_ns = static_cast<double>(launches_) * launch_ns_;
    step.launching_ns = padding_ns_ + std::max(launching_ns - kernels_ns, 0.0);
    step.step_ns = kernels_ns + step.launching_ns;
    const auto bound = [&](double ns) { return std::max(ns + padding_ns_, launching_ns); };
    step.low_ns = bound(operations_.low_ns + attention_.low_ns + traffic_.low_ns);
    step.high_ns = bound(operations_.high_ns + attention_.high_ns + traffic_.high_ns);
    step.covered_share = flops_ > 0 ? covered_flops_ / flops_ : 0;
    return step;
  }

 private:
  void add(Sum& sum, const OperationTime& time, std::int64_t count, std::int64_t launches) {
    sum.add(time, static_cast<double>(count));
    launches_ += count * launches;
    const double shortest_ns = static_cast<double>(launches) * empty_kernel_ns_;
    padding_ns_ += static_cast<double>(count) * std::max(shortest_ns - time.median_ns, 0.0);
  }

  [[nodiscard]] std::optional<OperationTime> time_of(const TracedAttention& attention, DType dtype,
                                                     const TracedOperation& operation,
                                                     WorkloadPrecision precision) const {
    Sum products;
    double flops = 0;
    for (const GemmParams& product : attention_products(attention, dtype)) {
      const auto time = times_.of(product);
      if (!time) return std::nullopt;
      products.add(*time, 1);
      flops += flop_count(product);
    }
    const OperationTime computed =
        scaled({products.median_ns, products.low_ns, products.high_ns}, flop_count(operation) / flops);
    return longer(computed, scaled(*triad_, byte_count(operation, precision)));
  }

  const OperationTimes& times_;
  const std::optional<OperationTime>& triad_;
  double empty_kernel_ns_, launch_ns_;
  Sum operations_, attention_, traffic_;
  double flops_ = 0, covered_flops_ = 0, padding_ns_ = 0;
  std::int64_t launches_ = 0;
};

}  // namespace

DType type_of(TracedRole role, WorkloadPrecision precision, const ComputeTypes& types) {
  return role == TracedRole::half && precision == WorkloadPrecision::mixed ? types.half : types.fp32;
}

ComputeTypes preferred_types(const Device& device) {
  constexpr int kFirstWithTensorCores = 70, kFirstWithTf32 = 80;
  if (device.kind == DeviceKind::cpu) return {DType::bf16, DType::fp32};
  const int capability = device.compute_capability ? capability_number(*device.compute_capability).value_or(0) : 0;
  return {capability >= kFirstWithTensorCores ? DType::fp16 : DType::fp32,
          capability >= kFirstWithTf32 ? DType::tf32 : DType::fp32};
}

std::optional<StepPrediction> predict_step(const TracedWorkload& workload, WorkloadPrecision precision,
                                           const ComputeTypes& types, const OperationTimes& times, LaunchMode mode) {
  if (!times.triad_ns_per_byte()) return std::nullopt;
  Step step(times, mode);
  for (const TracedOperation& operation : workload.operations) {
    if (!step.add(operation, type_of(operation.role, precision, types), precision)) return std::nullopt;
  }
  for (const MemoryTraffic& traffic : workload.in(precision).traffic) step.add(traffic);
  return step.prediction();
}

std::vector<WorkloadPrediction> predict_workloads(const std::vector<TracedWorkload>& workloads, const Device& device,
                                                  const std::vector<Measurement>& measurements) {
  const OperationTimes times(device.index, measurements);
  const ComputeTypes preferred = preferred_types(device);
  const auto predict = [&](const TracedWorkload& workload, WorkloadPrecision precision, const ComputeTypes& types) {
    const LaunchMode mode = workload.workload_class == WorkloadClass::train ? LaunchMode::eager : LaunchMode::graph;
    return WorkloadPrediction{&workload, precision, types, predict_step(workload, precision, types, times, mode)};
  };
  std::vector<WorkloadPrediction> predictions;
  for (const TracedWorkload& workload : workloads) {
    WorkloadPrediction full = predict(workload, WorkloadPrecision::full, {preferred.fp32, preferred.fp32});
    if (!full.step) full = predict(workload, WorkloadPrecision::full, {DType::fp32, DType::fp32});
    WorkloadPrediction mixed = full;
    if (preferred.half != DType::fp32) mixed = predict(workload, WorkloadPrecision::mixed, preferred);
    if (!mixed.step) mixed = predict(workload, WorkloadPrecision::mixed, {preferred.half, DType::fp32});
    if (!mixed.step) mixed = full;
    mixed.precision = WorkloadPrecision::mixed;
    predictions.push_back(full);
    predictions.push_back(mixed);
  }
  return predictions;
}

}  // namespace gpuassay
