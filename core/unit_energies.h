// What energy does a unit of work take on this machine? Predicted samples per second and the power under load. Pure.
#pragma once

#include <optional>
#include <vector>

#include "core/model.h"

namespace gpuassay {

/// Watts of a measurement, of the energy counter where there is one; empty where NVML does not tell.
std::optional<double> power_of(const Measurement& measurement);

/// Watts of all GPUs together, each at its highest power under sustained load; empty when one was not kept under load
/// or does not tell.
std::optional<double> power_under_load_w(const std::vector<Device>& devices,
                                         const std::vector<Measurement>& measurements);

/// For every workload in mixed precision that was predicted: joules of the GPUs for one token, image, sequence or step.
/// The load is of the headlines, not of the workload itself: one that leaves the GPU idle takes less. Empty without a
/// GPU; without joules where the power is unknown.
std::vector<UnitEnergy> unit_energies(const Score& score, const std::vector<Device>& devices,
                                      const std::vector<Measurement>& measurements);

}  // namespace gpuassay
