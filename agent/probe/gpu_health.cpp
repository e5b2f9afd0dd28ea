#include "agent/probe/gpu_health.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/dynlib/in_child.h"
#include "agent/probe/gpu_health_fields.h"
#include "core/error.h"

namespace gpuassay {
namespace {

std::optional<std::int64_t> errors_counted(const nvml::Api& api, nvml::Device device, int kind, int counter) {
  unsigned long long count = 0;
  if (api.nvmlDeviceGetTotalEccErrors == nullptr ||
      api.nvmlDeviceGetTotalEccErrors(device, kind, counter, &count) != nvml::kSuccess) {
    return std::nullopt;
  }
  constexpr unsigned long long kMost = INT64_MAX;
  return static_cast<std::int64_t>(std::min(count, kMost));
}

/// New errors; a counter that fell was reset meanwhile and says nothing.
std::int64_t risen(const std::optional<std::int64_t>& before, const std::optional<std::int64_t>& after) {
  return before && after ? std::max<std::int64_t>(0, *after - *before) : 0;
}

std::string read_all(const LibraryCandidate& candidate, const std::vector<std::string>& pci_bus_ids) {
  const nvml::LoadedLibrary library = nvml::load(candidate);
  nvml::check(library.api, library.api.nvmlInit_v2(), "nvmlInit_v2");
  nlohmann::json all = nlohmann::json::array();
  for (const std::string& id : pci_bus_ids) all.push_back(write_value(read_health(library.api, id)));
  return all.dump();
}

}  // namespace

GpuHealth read_health(const nvml::Api& api, const std::string& pci_bus_id) {
  GpuHealth health;
  nvml::Device device = nullptr;
  nvml::Memory memory{};
  int status = api.nvmlDeviceGetHandleByPciBusId_v2(pci_bus_id.c_str(), &device);
  // A question about the device itself: a handle may be given out for one that is gone.
  if (status == nvml::kSuccess) status = api.nvmlDeviceGetMemoryInfo(device, &memory);
  health.lost = status == nvml::kGpuIsLost;
  if (status != nvml::kSuccess) return health;
  health.volatile_errors = errors_counted(api, device, nvml::kErrorsUncorrected, nvml::kEccVolatile);
  health.aggregate_errors = errors_counted(api, device, nvml::kErrorsUncorrected, nvml::kEccAggregate);
  health.corrected_errors = errors_counted(api, device, nvml::kErrorsCorrected, nvml::kEccVolatile);
  return health;
}

std::vector<GpuHealth> look_at_health(const LibraryCandidate& nvml, const std::vector<std::string>& pci_bus_ids,
                                      std::chrono::milliseconds limit) {
  const ChildAnswer answer = run_in_child(limit, [&] { return read_all(nvml, pci_bus_ids); });
  if (answer.end != ChildEnd::answered) return {};
  const nlohmann::json document = nlohmann::json::parse(answer.text, nullptr, false);
  std::vector<GpuHealth> all;
  try {
    read_value(document, "", all);
  } catch (const Error&) {
    return {};
  }
  return all.size() == pci_bus_ids.size() ? all : std::vector<GpuHealth>();
}

std::optional<std::string> fault_between(const GpuHealth& before, const GpuHealth& after) {
  if (after.lost) {
    return fmt::format("it fell off the PCI bus {} (NVML: GPU is lost)",
                       before.lost ? "before it was measured" : "while it was measured");
  }
  // A driver that is unloaded in between starts its own counter anew; the board keeps the other.
  const std::int64_t errors = std::max(risen(before.volatile_errors, after.volatile_errors),
                                       risen(before.aggregate_errors, after.aggregate_errors));
  if (errors == 0) return std::nullopt;
  return fmt::format("{} uncorrectable memory error{} counted while it was measured", errors,
                     errors == 1 ? " was" : "s were");
}

}  // namespace gpuassay
