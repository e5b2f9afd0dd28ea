// What does a device's memory hold? Models by precision and context. Pure; memory is never part of the score.
#pragma once

#include <optional>
#include <vector>

#include "core/model.h"
#include "core/workload.h"

namespace gpuassay {

/// The language models of the traces (1, 8 and 70 billion weights) in 16 bits, and in fp8 from compute capability 8.9
/// on, each with one sequence of 4,096 and of 32,768 tokens: weights, the keys and values of the context in 16 bits,
/// activations, and half a GB for CUDA. For the device with the least memory; `gpus_needed` of its kind, or
/// machines with a CPU, share weights and cache evenly. Empty where no device tells its memory.
std::vector<Fit> fits_of(const std::vector<Device>& devices);

/// How many devices of this memory hold a step of the workload, 16 bits where it has them, or `bytes_per_weight` of
/// them; empty where the memory is unknown.
std::optional<int> devices_needed(const TracedWorkload& workload, double bytes_per_weight, const Device& device);

}  // namespace gpuassay
