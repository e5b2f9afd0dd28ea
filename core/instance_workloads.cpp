#include "core/instance_workloads.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/enums.h"
#include "core/gpu_names.h"
#include "core/known_times.h"
#include "core/loaded_times.h"
#include "core/stats.h"

namespace gpuassay {
namespace {

constexpr int kFigureDigits = 6;

/// One GPU: what it is predicted to do alone, and its times with all others at work.
struct Member {
  Member(const Device& of, const std::vector<Device>& devices, const std::vector<Measurement>& measurements)
      : device(of), alone(of, devices, measurements), loaded(alone.times(), of.index, measurements) {}

  [[nodiscard]] std::optional<StepPrediction> loaded_step(const WorkloadPrediction& alone_prediction) const {
    return predict_step(*alone_prediction.workload, alone_prediction.traced(), alone_prediction.types, loaded,
                        multiprocessors_of(device), framework_costs(device.kind));
  }

  const Device& device;
  KnownTimes alone;
  LoadedTimes loaded;
};

using Members = std::vector<std::unique_ptr<Member>>;

/// Why no workload at all has a figure; empty where nothing stands against it.
std::string problem_of(const Members& members) {
  for (const auto& member : members) {
    if (member->device.kind != DeviceKind::cuda || !same_kind(member->device, members.front()->device))
      return "the devices are not GPUs of one kind, and no figure of one is that of another";
  }
  for (const auto& member : members) {
    if (!member->loaded.known())
      return fmt::format("device {} was not kept under load together with the others: standard does it, quick does not",
                         member->device.index);
  }
  return {};
}

/// Data parallel: all wait for the slowest, and then for the gradients.
void add_training(const WorkloadPrediction& row, const std::vector<StepPrediction>& steps, const AllReduceTimes& times,
                  InstanceStep& instance) {
  if (!times.known()) {
    instance.unknown_because =
        fmt::format("no all-reduce among all {} GPUs was measured, which takes NCCL: see measurements", steps.size());
    return;
  }
  const auto slowest =
      std::max_element(steps.begin(), steps.end(), [](const auto& a, const auto& b) { return a.step_ns < b.step_ns; });
  double low_ns = 0;
  double high_ns = 0;
  for (const StepPrediction& step : steps) {
    low_ns = std::max(low_ns, step.low_ns);
    high_ns = std::max(high_ns, step.high_ns);
  }
  instance.slowest_device = static_cast<int>(slowest - steps.begin());
  instance.slowest_ns = slowest->step_ns;
  instance.exchange = exchange_gradients(gradient_buckets(*row.workload), times, slowest->backward_ns);
  instance.step_ns = slowest->step_ns + instance.exchange->exposed_ns;
  const auto global_batches = static_cast<double>(steps.size());
  instance.samples_per_s = global_batches * row.samples_per_s(instance.step_ns);
  instance.low = global_batches * row.samples_per_s(high_ns + instance.exchange->high_ns);
  instance.high = global_batches * row.samples_per_s(low_ns + instance.exchange->low_ns);
}

void add_replicas(const WorkloadPrediction& row, const std::vector<StepPrediction>& steps, InstanceStep& instance) {
  for (const StepPrediction& step : steps) {
    instance.samples_per_s += row.samples_per_s(step.step_ns);
    instance.low += row.samples_per_s(step.high_ns);
    instance.high += row.samples_per_s(step.low_ns);
  }
}

bool is_figure(double value) { return std::isfinite(value) && value > 0; }

/// The row `at` of every member's predictions.
InstanceStep step_of(const Members& members, std::size_t at, const AllReduceTimes& times, const std::string& problem) {
  const WorkloadPrediction& row = members.front()->alone.predictions()[at];
  InstanceStep instance{row.workload, row.precision, row.types, problem};
  if (!instance.known()) return instance;
  std::vector<StepPrediction> steps;
  steps.reserve(members.size());
  for (const auto& member : members) {
    const WorkloadPrediction& alone = member->alone.predictions()[at];
    const auto loaded = alone.step ? member->loaded_step(alone) : std::nullopt;
    if (!loaded) {
      instance.unknown_because =
          fmt::format("too little was measured of device {}, or with wrong results", member->device.index);
      return instance;
    }
    instance.alone_samples_per_s += alone.samples_per_s(alone.step->step_ns);
    steps.push_back(*loaded);
  }
  if (row.workload->workload_class == WorkloadClass::train) {
    add_training(row, steps, times, instance);
    const auto& slowest = *members[static_cast<std::size_t>(instance.slowest_device)];
    instance.slowest_alone_ns = slowest.alone.predictions()[at].step->step_ns;
    instance.slowest_device = slowest.device.index;
  } else {
    add_replicas(row, steps, instance);
  }
  const bool all_finite = is_figure(instance.low) && is_figure(instance.samples_per_s) && is_figure(instance.high) &&
                          is_figure(instance.alone_samples_per_s);
  if (instance.known() && !all_finite) instance.unknown_because = "the times measured are beyond what can be added up";
  return instance;
}

DType product_type(const WorkloadPrediction& prediction) {
  return prediction.precision == WorkloadPrecision::mixed ? prediction.types.half : prediction.types.fp32;
}

InstanceWorkload written(const InstanceStep& step) {
  InstanceWorkload row;
  row.name = step.workload->id;
  row.workload_class = step.workload->workload_class;
  row.precision = to_name(step.precision == WorkloadPrecision::mixed ? step.types.half : step.types.fp32);
  if (!step.known()) {
    row.reason = step.unknown_because;
    return row;
  }
  const auto rounded = [](double value) { return round_significant(value, kFigureDigits); };
  row.samples_per_s = rounded(step.samples_per_s);
  row.low = rounded(step.low);
  row.high = rounded(step.high);
  row.scaling_efficiency = rounded(step.samples_per_s / step.alone_samples_per_s);
  if (step.exchange) {
    row.exposed_communication_share = rounded(step.exchange->exposed_ns / step.step_ns);
    row.slowest_device = step.slowest_device;
  }
  return row;
}

}  // namespace

std::vector<InstanceStep> instance_steps(const std::vector<Device>& devices,
                                         const std::vector<Measurement>& measurements) {
  std::vector<InstanceStep> steps;
  if (devices.size() < 2) return steps;
  Members members;
  members.reserve(devices.size());
  for (const Device& device : devices) members.push_back(std::make_unique<Member>(device, devices, measurements));
  const AllReduceTimes times(static_cast<std::int64_t>(devices.size()), measurements);
  const std::string problem = problem_of(members);
  const auto& rows = members.front()->alone.predictions();
  steps.reserve(rows.size());
  for (std::size_t at = 0; at + 1 < rows.size(); at += 2) {
    if (product_type(rows[at]) != product_type(rows[at + 1])) steps.push_back(step_of(members, at, times, problem));
    steps.push_back(step_of(members, at + 1, times, problem));
  }
  return steps;
}

std::vector<InstanceWorkload> instance_workloads(const std::vector<Device>& devices,
                                                 const std::vector<Measurement>& measurements) {
  std::vector<InstanceWorkload> rows;
  const auto steps = instance_steps(devices, measurements);
  rows.reserve(steps.size());
  for (const InstanceStep& step : steps) rows.push_back(written(step));
  return rows;
}

}  // namespace gpuassay
