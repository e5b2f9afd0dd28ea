// Is this GPU the model that its name says? What the driver tells of it, and what was measured on it, against the table
// of GPUs. Pure. docs/METHODOLOGY.md, "Is it what it says?", has each tolerance with its reason.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/gpu_specs.h"
#include "core/model.h"

namespace gpuassay {

/// What a kernel of ours reached, and the clock its multiprocessors stamped meanwhile.
struct MeasuredRate {
  double tflop_per_s = 0;
  std::optional<double> sm_clock_mhz = {};
};

/// What speaks for or against a name. Whoever changes the name alone is caught by what the driver tells; whoever
/// changes the driver too, by what was measured.
struct IdentityEvidence {
  // as the driver tells it
  std::optional<std::string> compute_capability;
  std::optional<int> sm_count;
  std::optional<std::int64_t> memory_bytes;
  std::optional<double> max_sm_clock_mhz, max_memory_clock_mhz;
  std::optional<int> max_pcie_generation;
  // as measured by kernels of our own
  std::map<std::pair<ComputeUnit, DType>, MeasuredRate> compute;
  std::optional<double> memory_gb_per_s;     ///< the fastest way to read or write device memory
  std::optional<double> memory_clock_share;  ///< of the highest, while that was measured; empty: unknown, taken as 1
  std::optional<double> l2_gb_per_s;         ///< reading an array that fits the model's L2 four times
  std::optional<int> multiprocessors_stamped;
};

/// Of one device's ok measurements.
IdentityEvidence identity_evidence(const Device& device, const std::vector<Measurement>& measurements);

/// One figure that the model cannot have.
struct Contradiction {
  std::string what;      ///< "multiprocessors", "fp64 over fp32, measured"
  std::string found;     ///< the figure as text
  std::string expected;  ///< what the model has: a figure, "0.47 to 0.52"
};

/// Everything that speaks against the row.
std::vector<Contradiction> contradictions_with(const GpuSpec& spec, const IdentityEvidence& evidence);

/// What speaks against the device's name, by the row of that name against which least does. Empty for parts of a card
/// (MIG, vGPU), for names that the table does not have, and for what is no GPU.
std::vector<Contradiction> identity_contradictions(const Device& device, const std::vector<Measurement>& measurements);

/// Whether it is that the driver tells fewer multiprocessors than the model has: a part of a card may be meant.
bool is_fewer_sms(const Device& device, const Contradiction& contradiction);

/// "multiprocessors 56 where it has 108": one of them in words.
std::string contradiction_text(const Contradiction& contradiction);

}  // namespace gpuassay
