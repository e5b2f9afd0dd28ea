// The first stage as the commands use it: probe the machine, find its devices and libraries, choose what to measure.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/backends/cuda_backend.h"
#include "agent/backends/nccl_group.h"
#include "agent/device_choice.h"
#include "agent/dynlib/driver_problem.h"
#include "agent/environment.h"
#include "agent/platform/platform_block.h"
#include "agent/probe/gpu_health.h"
#include "agent/probe/xid.h"
#include "core/model.h"

namespace gpuassay {

/// What was found and chosen.
struct Machine {
  Inventory inventory;                          ///< `devices`: those to be measured
  std::map<int, CudaSelection> selections;      ///< how to measure the CUDA devices among them, by device index
  std::map<int, GpuHealth> health;              ///< of the CUDA devices before measuring, by device index
  std::shared_ptr<const KernelLog> kernel_log;  ///< since it was looked at; null without GPUs
  std::map<int, std::string> uuids;             ///< raw, of the CUDA devices: never leave the machine
  bool simulated = false;                       ///< recorded files or a fake driver: no real machine
  int driver_cuda_version = 0;                  ///< of cuDriverGetVersion: 1000 x major + 10 x minor; 0 = unknown
  std::optional<DriverProblem> driver_problem;  ///< why the NVIDIA driver shows no device, where CUDA was looked for
  /// Why nothing can be measured, with the remedy; empty when something can.
  std::optional<std::string> problem;
};

/// How long looking may take where nobody said: sixteen K80 dies need a minute to start, cold libraries some more.
inline constexpr double kPatienceS = 180;

/// Below the environment's system root. CUDA is looked for unless `choice` is the CPU, oneDNN where the CPU is to be
/// measured. What does not answer within `limit_s` counts as hung. Call while there is one thread.
Machine look_at_machine(const Environment& environment, const DeviceChoice& choice, double limit_s = kPatienceS);

/// The CUDA devices that are to be measured, as ranks of what they do together.
std::vector<GroupMember> group_members(const Machine& machine);

/// Hashes under the machine's key, which is made when the data directory exists; without one it hashes nothing.
IdentifierHash identifier_hash(const Environment& environment);

/// Fills uuid_hash of the GPUs, or explains its absence.
void hash_identifiers(Machine& machine, const IdentifierHash& hash);

/// What broke since the machine was looked at: one "hardware_fault" per device, and what was counted.
struct FaultsSince {
  std::vector<Reason> faults;
  std::map<int, DeviceHealth> health;  ///< by device index; nothing of a device of which nobody told
  std::vector<Unknown> unknown;        ///< that NVML did not answer, if so
};
/// NVML is asked for at most `limit`.
FaultsSince faults_since(const Machine& machine, std::chrono::milliseconds limit);

/// Throws Error{nothing_measurable} with the machine's problem, if it has one.
void require_measurable(const Machine& machine);

}  // namespace gpuassay
