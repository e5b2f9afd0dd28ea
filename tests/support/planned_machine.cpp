#include "tests/support/planned_machine.h"

#include <algorithm>

#include "core/gpu_peaks.h"
#include "core/gpu_specs.h"

namespace gpuassay::test {
namespace {

Device gpu(const std::string& row, int index) {
  const GpuSpec& spec = *gpu_spec_named(row);
  Device device;
  device.index = index;
  device.kind = DeviceKind::cuda;
  device.name = spec.nvml_names.front();
  device.memory_bytes = static_cast<std::int64_t>(spec.memory_gib * 1024) << 20;
  device.compute_capability = spec.compute_capability;
  device.sm_count = spec.sm_count;
  describe_gpu(device, std::nullopt, std::nullopt);
  return device;
}

}  // namespace

Inventory machine(const std::vector<std::string>& rows) {
  Inventory inventory;
  for (std::size_t i = 0; i < rows.size(); ++i) inventory.devices.push_back(gpu(rows[i], static_cast<int>(i)));
  return inventory;
}

bool has_case(const std::vector<Case>& cases, const std::string& id, int device) {
  return std::any_of(cases.begin(), cases.end(), [&](const Case& c) { return c.id == id && c.device == device; });
}

bool has_prefix(const std::vector<Case>& cases, const std::string& prefix) {
  return std::any_of(cases.begin(), cases.end(), [&](const Case& c) { return c.id.starts_with(prefix); });
}

}  // namespace gpuassay::test
