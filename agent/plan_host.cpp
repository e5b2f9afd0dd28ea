#include "agent/plan_host.h"

#include <algorithm>

#include "agent/backends/cpu_compute.h"
#include "agent/plan_units.h"
#include "core/gpu_names.h"
#include "core/operations.h"

namespace gpuassay {
namespace {

constexpr int kHostStored = 3;
/// Large enough that the kernel keeps many requests at the disk at once, and a small step on the slowest one.
constexpr std::int64_t kBlockBytes = 4 * kMiB;
/// The most that a file has (agent/backends/scratch_file.h bounds it by time and free space), and how long it is
/// sampled.
struct DiskSizes {
  std::int64_t file_bytes, model_bytes, sampled_ns;
};

DiskSizes disk_sizes(Profile profile) {
  if (profile == Profile::full) return {1024 * kMiB, 16 * kGiB, 4'000 * kMs};
  return {256 * kMiB, 2 * kGiB, 1'000 * kMs};
}

Case host_case(const OperationParams& params, const std::optional<int>& device, const SamplingLimits& limits) {
  Case planned{case_id(params), device, params, Regime::burst, limits};
  planned.optional = true;
  return planned;
}

/// Devices are loaded alike where they are alike.
std::vector<const Device*> first_gpu_of_each_kind(const std::vector<Device>& devices) {
  std::vector<const Device*> firsts;
  for (const Device& device : devices) {
    if (device.kind != DeviceKind::cuda) continue;
    const bool seen =
        std::any_of(firsts.begin(), firsts.end(), [&](const Device* first) { return same_kind(*first, device); });
    if (!seen) firsts.push_back(&device);
  }
  return firsts;
}

/// Half of the device's free memory at most.
std::int64_t model_bytes(const Inventory& inventory, const Device& device, std::int64_t most) {
  const auto known = inventory.free_memory_bytes.find(device.index);
  const std::int64_t memory =
      known != inventory.free_memory_bytes.end() ? known->second : device.memory_bytes.value_or(2 * kGiB);
  return std::max(std::min(most, memory / 2) / kBlockBytes, std::int64_t{1}) * kBlockBytes;
}

}  // namespace

std::vector<Case> host_cases(const Inventory& inventory, Profile profile, const HostSizes& sizes, bool has_target) {
  std::vector<Case> cases;
  const std::vector<const Device*> gpus = first_gpu_of_each_kind(inventory.devices);
  const auto add = [&](const OperationParams& params, const SamplingLimits& limits, std::optional<int> device = {}) {
    cases.push_back(host_case(params, device, limits));
  };
  if (profile != Profile::quick && !inventory.devices.empty()) {
    const SamplingLimits cpu{5, 1000, 100 * kMs, 250 * kMs, kHostStored};
    if (!gpus.empty()) {
      add(BandwidthParams{BandwidthKernel::triad, MemoryLevel::dram, sizes.dram_array_bytes}, cpu);
      add(ComputeParams{DType::fp32, ComputeUnit::fma, cpu_compute_flops(std::max(1, inventory.cpu.threads))}, cpu);
      // A standard document must stay below 100 KB, and few images with GPUs have oneDNN.
      if (profile == Profile::full)
        add(GemmParams{DType::fp32, sizes.gemm_size, sizes.gemm_size, sizes.gemm_size, 1}, cpu);
    }
    const DiskSizes disk = disk_sizes(profile);
    const SamplingLimits timed{2, 100, disk.sampled_ns, disk.sampled_ns, kHostStored};
    add(DiskParams{DiskKind::sequential_write, disk.file_bytes, kBlockBytes}, timed);
    add(DiskParams{DiskKind::sequential_read, disk.file_bytes, kBlockBytes}, timed);
    SamplingLimits once = timed;
    once.min_samples = 1;
    for (const Device* gpu : gpus)
      add(DiskParams{DiskKind::disk_to_device, model_bytes(inventory, *gpu, disk.model_bytes), kBlockBytes}, once,
          gpu->index);
  }
  if (has_target && !inventory.devices.empty()) {
    constexpr std::int64_t kDownloadBytes = 256 * kMiB;
    add(NetworkParams{NetworkKind::connect, 0}, {5, 20, 0, 200 * kMs, kHostStored});
    add(NetworkParams{NetworkKind::download, kDownloadBytes}, {2, 3, 0, 2'000 * kMs, kHostStored});
    for (auto asked_for = cases.end() - 2; asked_for != cases.end(); ++asked_for) asked_for->optional = false;
  }
  return cases;
}

}  // namespace gpuassay
