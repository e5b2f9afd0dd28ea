#include "core/predict.h"

#include <algorithm>

#include "core/gpu_names.h"
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

double element_count(const MemoryTraffic& traffic) {
  const auto sum = [](const ElementCounts& c) { return static_cast<double>(c.half + c.fp32 + c.int64); };
  return sum(traffic.read) + sum(traffic.written);
}

OperationTime later(const OperationTime& time, double ns) {
  return {time.median_ns + ns, time.low_ns + ns, time.high_ns + ns, time.measured};
}

double attention_share(const FrameworkCosts& costs, DType dtype, bool backward) {
  if (dtype == DType::tf32) return costs.attention_tf32;
  if (dtype == DType::fp32) return costs.attention_fp32;
  return backward ? costs.attention_half_backward : costs.attention_half_forward;
}

class Step {
 public:
  Step(const DeviceTimes& times, const Multiprocessors& multiprocessors, const FrameworkCosts& costs,
       const OperationTime& triad_ns_per_byte)
      : times_(times), multiprocessors_(multiprocessors), costs_(costs), triad_(triad_ns_per_byte) {
    // Drivers before CUDA 10 have no graphs; a CPU has neither.
    auto empty_kernel_ns = times.latency_ns(LatencyKind::graph_launch);
    if (!empty_kernel_ns) empty_kernel_ns = times.latency_ns(LatencyKind::kernel_launch);
    if (!empty_kernel_ns) return;
    shortest_kernel_ns_ = *empty_kernel_ns + costs.shortest_kernel_ns;
    pause_ns_ = costs.pause_ns;
  }

  /// False where nothing is known of it.
  bool add(const TracedOperation& operation, DType dtype, WorkloadPrecision precision) {
    if (const auto* const attention = std::get_if<TracedAttention>(&operation.params))
      return add(operation, *attention, dtype, precision);
    const auto time = times_.of(*measurable_params(operation, dtype));
    if (!time) return false;
    const OperationTime in_network = scaled(*time, framework_factor(operation, dtype));
    add(operations_, in_network, operation.count, launch_count(operation));
    if (makes_gradients(operation)) backward_ns_ += static_cast<double>(operation.count) * in_network.median_ns;
    const double flops = static_cast<double>(operation.count) * flop_count(operation);
    flops_ += flops;
    if (time->measured) covered_flops_ += flops;
    return true;
  }

  void add(const MemoryTraffic& traffic) {
    const TrafficCost& cost = costs_.of(traffic.kind);
    const double clocks_per_ns = static_cast<double>(multiprocessors_.count) * multiprocessors_.clocks_per_ns;
    const double computing_ns =
        clocks_per_ns > 0 ? cost.clocks_per_element * element_count(traffic) / clocks_per_ns : 0;
    const double before_ns = traffic_.median_ns;
    add(traffic_, later(scaled(triad_, cost.over_triad * byte_count(traffic)), computing_ns), traffic.count,
        traffic.launches);
    add_starts(traffic_, traffic.count * traffic.launches);
    constexpr double kOfBackward = 0.5;
    if (traffic.kind != TrafficKind::optimizer) backward_ns_ += kOfBackward * (traffic_.median_ns - before_ns);
  }

  [[nodiscard]] StepPrediction prediction() const {
    StepPrediction step{operations_.median_ns, attention_.median_ns, traffic_.median_ns};
    step.pauses_ns = static_cast<double>(launches_) * pause_ns_;
    step.step_ns = step.operations_ns + step.attention_ns + step.traffic_ns + step.pauses_ns;
    step.low_ns = (operations_.low_ns + attention_.low_ns + traffic_.low_ns + step.pauses_ns) / (1 + costs_.spread);
    step.high_ns = (operations_.high_ns + attention_.high_ns + traffic_.high_ns + step.pauses_ns) * (1 + costs_.spread);
    step.backward_ns = makes_gradients_ ? backward_ns_ : 0;
    step.covered_share = flops_ > 0 ? covered_flops_ / flops_ : 0;
    return step;
  }

 private:
  /// Whether it belongs to the backward pass; a step with one such operation trains.
  bool makes_gradients(const TracedOperation& operation) {
    const auto* const gemm = std::get_if<TracedGemm>(&operation.params);
    const auto* const conv = std::get_if<TracedConv>(&operation.params);
    const auto* const attention = std::get_if<TracedAttention>(&operation.params);
    const bool backward = (gemm != nullptr && gemm->direction != ConvDirection::forward) ||
                          (conv != nullptr && conv->direction != ConvDirection::forward) ||
                          (attention != nullptr && attention->backward);
    makes_gradients_ = makes_gradients_ || backward;
    return backward;
  }

  [[nodiscard]] double framework_factor(const TracedOperation& operation, DType dtype) const {
    const auto* gemm = std::get_if<TracedGemm>(&operation.params);
    if (gemm == nullptr) return costs_.convolution;
    const bool half = dtype != DType::fp32 && dtype != DType::tf32;
    return (half ? costs_.product_half : costs_.product_fp32).of(std::min(gemm->m, gemm->n));
  }

  bool add(const TracedOperation& operation, const TracedAttention& attention, DType dtype,
           WorkloadPrecision precision) {
    if (dtype == DType::fp8_e4m3) dtype = DType::fp16;  // weights are narrower, attention is not
    const auto best = times_.best_gemm_flops_per_ns(dtype);
    if (!best) return false;
    const double compute_ns = idle_factor(attention, dtype) * flop_count(operation) /
                              (*best * attention_share(costs_, dtype, attention.backward));
    const OperationTime computed{compute_ns, compute_ns, compute_ns};
    const OperationTime moved = scaled(triad_, costs_.attention_over_triad * byte_count(operation, precision));
    const OperationTime& longer = computed.median_ns >= moved.median_ns ? computed : moved;
    add(attention_, longer, operation.count, attention.launches);
    if (makes_gradients(operation)) backward_ns_ += static_cast<double>(operation.count) * longer.median_ns;
    add_starts(attention_, operation.count * attention.launches);
    return true;
  }

  /// How much longer kernels for 32 bits take because queries or heads are too few for them; 1 where they are not.
  [[nodiscard]] double idle_factor(const TracedAttention& attention, DType dtype) const {
    const std::int64_t rows = costs_.attention_rows;
    if (rows == 0 || (dtype != DType::fp32 && dtype != DType::tf32)) return 1;
    const std::int64_t blocks_of_head = (attention.query_length + rows - 1) / rows;
    const double padded = static_cast<double>(blocks_of_head * rows) / static_cast<double>(attention.query_length);
    const double blocks = static_cast<double>(attention.batch * attention.heads * blocks_of_head);
    return padded * std::max(1.0, static_cast<double>(multiprocessors_.count) / blocks);
  }

  void add(Sum& sum, const OperationTime& time, std::int64_t count, std::int64_t launches) {
    sum.add(time, static_cast<double>(count));
    launches_ += count * launches;
  }

  void add_starts(Sum& sum, std::int64_t kernels) {
    sum.add({shortest_kernel_ns_, shortest_kernel_ns_, shortest_kernel_ns_}, static_cast<double>(kernels));
  }

  const DeviceTimes& times_;
  const Multiprocessors& multiprocessors_;
  const FrameworkCosts& costs_;
  OperationTime triad_;
  double shortest_kernel_ns_ = 0, pause_ns_ = 0;
  Sum operations_, attention_, traffic_;
  double backward_ns_ = 0;
  bool makes_gradients_ = false;
  double flops_ = 0, covered_flops_ = 0;
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

Multiprocessors multiprocessors_of(const Device& device) {
  if (device.kind == DeviceKind::cpu || !device.sm_count) return {};
  std::optional<double> mhz;
  if (device.limits) mhz = device.limits->max_sm_clock_mhz;
  if (!mhz) {
    const GpuSpec* spec =
        find_gpu_spec({device.name, device.memory_bytes, device.sm_count, device.compute_capability, {}}).spec;
    if (spec != nullptr) mhz = highest_sm_clock_mhz(*spec);
  }
  return {*device.sm_count, mhz.value_or(0) / 1e3};
}

std::optional<StepPrediction> predict_step(const TracedWorkload& workload, WorkloadPrecision precision,
                                           const ComputeTypes& types, const DeviceTimes& times,
                                           const Multiprocessors& multiprocessors, const FrameworkCosts& costs) {
  const auto triad = times.triad_ns_per_byte();
  if (!triad) return std::nullopt;
  Step step(times, multiprocessors, costs, *triad);
  for (const TracedOperation& operation : workload.operations) {
    if (!step.add(operation, type_of(operation.role, precision, types), precision)) return std::nullopt;
  }
  for (const MemoryTraffic& traffic : workload.in(precision).traffic) step.add(traffic);
  return step.prediction();
}

std::vector<WorkloadPrediction> predict_workloads(const std::vector<TracedWorkload>& workloads, const Device& device,
                                                  const DeviceTimes& times) {
  const FrameworkCosts& costs = framework_costs(device.kind);
  const Multiprocessors multiprocessors = multiprocessors_of(device);
  const ComputeTypes preferred = preferred_types(device);
  const auto predict = [&](const TracedWorkload& workload, WorkloadPrecision precision, const ComputeTypes& types) {
    return WorkloadPrediction{&workload, precision, types,
                              predict_step(workload, precision, types, times, multiprocessors, costs)};
  };
  std::vector<WorkloadPrediction> predictions;
  for (const TracedWorkload& workload : workloads) {
    WorkloadPrediction full = predict(workload, WorkloadPrecision::full, {preferred.fp32, preferred.fp32});
    if (!full.step) full = predict(workload, WorkloadPrecision::full, {DType::fp32, DType::fp32});
    WorkloadPrediction mixed = full;
    if (preferred.half != DType::fp32) mixed = predict(workload, WorkloadPrecision::mixed, preferred);
    if (!mixed.step) mixed = predict(workload, WorkloadPrecision::mixed, {preferred.half, DType::fp32});
    if (!mixed.step || (full.step && full.step->step_ns < mixed.step->step_ns)) mixed = full;
    mixed.precision = WorkloadPrecision::mixed;
    predictions.push_back(full);
    predictions.push_back(mixed);
  }
  return predictions;
}

}  // namespace gpuassay
