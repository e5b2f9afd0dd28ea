// Which cases a run measures, in which order: a pure function from inventory and profile; the budget cuts it off.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "core/model.h"

namespace gpuassay {

/// Wall-clock bound of a profile and how long it samples one case.
struct ProfileRules {
  double wall_s = 0;
  SamplingLimits limits;
};

/// quick 20 s, standard 90 s (150 s on eight devices, less on fewer), full 600 s; at least 20, 100, 500 ms of samples
/// per case.
ProfileRules rules_of(Profile profile, std::size_t devices = 1);

/// Cases in order of value, GPUs (see plan_cuda.h) before the CPU. On the CPU: headline GEMMs and triad, then what the
/// score needs, then everything else of the profile, then (not in quick) a repeat of the headlines and of what the
/// score needs, because a neighbour's disturbance lasts seconds and should not decide a figure; a run that is cut off
/// keeps the most important figures. Shapes, and how many of the score's operations there are, follow from the machine,
/// so that even a device at the estimated rate gets through that part. Last, not in quick, the headlines under load
/// without a pause; with `soak_s` for so long (plan_sustained.h). A case the device cannot do is planned all the
/// same: the backend's reason is the answer.
/// What is around the devices (plan_host.h) comes after the best figures of GPUs, or before the CPU's repeats;
/// `has_network_target`: the user named one.
std::vector<Case> plan(const Inventory& inventory, Profile profile, const std::optional<double>& soak_s = {},
                       bool has_network_target = false);

/// A pessimistic guess of the CPU's fp32 FLOP/s from its instruction set, for planning only; never reported.
double estimated_flop_per_s(const CpuFacts& cpu);

}  // namespace gpuassay
