// Which NVIDIA GPUs can be measured on this machine, and with which driver and libraries? Everything is looked at in
// child processes: this one stays free of CUDA, which does not survive a fork.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <vector>

#include "agent/backends/cuda_backend.h"
#include "agent/dynlib/driver_problem.h"
#include "agent/probe/gpu_health.h"
#include "agent/system_root.h"
#include "core/model.h"

namespace gpuassay {

struct CudaMachine {
  std::vector<Device> devices;             ///< index = position; empty when there is none
  std::vector<DeviceLink> links;           ///< between any two of them
  std::vector<CudaSelection> selections;   ///< how to measure each of them
  std::map<int, std::int64_t> free_bytes;  ///< of device memory, by index, where NVML tells it
  std::vector<GpuHealth> health;           ///< of each device before it was measured
  std::vector<std::string> uuids;          ///< raw, by index, empty where unknown: never leave the machine
  std::vector<Library> libraries;          ///< driver and all copies of the libraries that were found
  std::vector<Unknown> unknown;            ///< nulls of `devices`
  int driver_cuda_version = 0;             ///< of cuDriverGetVersion: 1000 x major + 10 x minor; 0 = unknown
  std::optional<DriverProblem> problem;    ///< why there are no devices
  bool simulated = false;                  ///< the driver or a library is a fake of the tests
};

/// Looks below `root` for libraries; the loader's own search counts only on the machine itself. Call while there is one
/// thread. What does not answer until `deadline` counts as hung. Never throws for what it finds: a driver that does not
/// work is `problem`.
CudaMachine look_for_cuda(const SystemRoot& root, std::chrono::steady_clock::time_point deadline);

}  // namespace gpuassay
