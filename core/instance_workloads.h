// What do all GPUs of an instance do of each network together? From what was measured of all of them at once, never one
// GPU's figure times their number. Pure. docs/SCORE.md states the formula.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/gradients.h"
#include "core/model.h"
#include "core/predict.h"

namespace gpuassay {

/// One workload in one precision on the whole instance, and what its figure is made of.
struct InstanceStep {
  const TracedWorkload* workload = nullptr;
  WorkloadPrecision precision = WorkloadPrecision::full;
  ComputeTypes types;
  std::string unknown_because;  ///< why there is no figure; empty where there is one

  double alone_samples_per_s = 0;  ///< of all GPUs, each measured alone: what the score adds up
  double samples_per_s = 0, low = 0, high = 0;

  // Of training, a data-parallel step:
  int slowest_device = 0;
  double slowest_alone_ns = 0;         ///< its step when it was measured alone
  double slowest_ns = 0, step_ns = 0;  ///< its step under load, and with what is exposed of the exchange
  std::optional<GradientExchange> exchange = {};

  [[nodiscard]] bool known() const { return unknown_because.empty(); }
};

/// Every workload in both precisions as the score lists them, once where both are one; empty for fewer than two GPUs.
///  - Training: a step of all GPUs takes the longest step among them under sustained load (core/loaded_times.h), and
///    what is exposed of the exchange of gradients (core/gradients.h); it does what all of them do in a step.
///  - Inference: each GPU serves by itself; what they do under sustained load adds up.
/// Unknown for GPUs that are not of one kind, where one of them lacks a prediction or was not kept under load, and
/// training without an all-reduce among all of them.
std::vector<InstanceStep> instance_steps(const std::vector<Device>& devices,
                                         const std::vector<Measurement>& measurements);

/// The same as the document has it.
std::vector<InstanceWorkload> instance_workloads(const std::vector<Device>& devices,
                                                 const std::vector<Measurement>& measurements);

}  // namespace gpuassay
