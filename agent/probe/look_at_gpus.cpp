#include "agent/probe/look_at_gpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "agent/dynlib/cuda_driver.h"
#include "agent/dynlib/in_child.h"
#include "agent/dynlib/nvml.h"
#include "core/error.h"

namespace gpuassay {
namespace {

std::optional<int> attribute(const cuda::Api& api, cuda::Device device, int which) {
  int value = 0;
  if (api.cuDeviceGetAttribute(&value, which, device) != cuda::kSuccess) return std::nullopt;
  return value;
}

/// "GPU-6f3a0e4c-...", as NVML writes it.
std::string uuid_text(const cuda::Uuid& uuid) {
  std::string text = "GPU-";
  for (std::size_t i = 0; i < sizeof uuid.bytes; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", static_cast<unsigned char>(uuid.bytes[i]));
  }
  return text;
}

GpuSight from_driver(const cuda::Api& api, int ordinal) {
  cuda::Device device = 0;
  cuda::check(api, api.cuDeviceGet(&device, ordinal), "cuDeviceGet");
  GpuSight gpu;
  gpu.ordinal = ordinal;
  std::array<char, 256> name{}, bus_id{};
  cuda::check(api, api.cuDeviceGetName(name.data(), static_cast<int>(name.size()) - 1, device), "cuDeviceGetName");
  cuda::check(api, api.cuDeviceGetPCIBusId(bus_id.data(), static_cast<int>(bus_id.size()) - 1, device),
              "cuDeviceGetPCIBusId");
  gpu.name = name.data();
  gpu.pci_bus_id = bus_id.data();
  gpu.compute_capability = 10 * attribute(api, device, cuda::kComputeCapabilityMajor).value_or(0) +
                           attribute(api, device, cuda::kComputeCapabilityMinor).value_or(0);
  gpu.sm_count = attribute(api, device, cuda::kMultiprocessorCount).value_or(0);
  std::size_t memory_bytes = 0;
  cuda::check(api, api.cuDeviceTotalMem_v2(&memory_bytes, device), "cuDeviceTotalMem_v2");
  gpu.memory_bytes = static_cast<std::int64_t>(memory_bytes);
  gpu.l2_bytes = attribute(api, device, cuda::kL2CacheSize);
  gpu.memory_bus_bits = attribute(api, device, cuda::kGlobalMemoryBusWidth);
  if (const auto ecc = attribute(api, device, cuda::kEccEnabled)) gpu.ecc = *ecc != 0;
  cuda::Uuid uuid{};
  // The newer call tells a MIG slice from its siblings.
  if ((api.cuDeviceGetUuid_v2 != nullptr && api.cuDeviceGetUuid_v2(&uuid, device) == cuda::kSuccess) ||
      (api.cuDeviceGetUuid != nullptr && api.cuDeviceGetUuid(&uuid, device) == cuda::kSuccess)) {
    gpu.uuid = uuid_text(uuid);
  } else {
    gpu.reasons["uuid"] = "the driver does not tell it";
  }
  return gpu;
}

/// NVML's answers about one device; each failed one leaves its reason.
class NvmlReader {
 public:
  NvmlReader(const nvml::Api& api, nvml::Device device, GpuSight& gpu) : api_(api), device_(device), gpu_(gpu) {}

  void read_all() {
    memory();
    gpu_.driver_version = text<nvml::kVersionBytes>("driver_version", api_.nvmlSystemGetDriverVersion);
    gpu_.vbios = device_text<nvml::kVbiosBytes>("vbios", api_.nvmlDeviceGetVbiosVersion);
    gpu_.power_limit_w = scaled("power_limit_w", api_.nvmlDeviceGetEnforcedPowerLimit, 1e-3);
    gpu_.default_power_limit_w = scaled("default_power_limit_w", api_.nvmlDeviceGetPowerManagementDefaultLimit, 1e-3);
    gpu_.max_sm_clock_mhz = clock("max_sm_clock_mhz", nvml::kClockSm);
    gpu_.max_memory_clock_mhz = clock("max_memory_clock_mhz", nvml::kClockMemory);
    gpu_.pcie_generation = integer("pcie_generation", api_.nvmlDeviceGetCurrPcieLinkGeneration);
    gpu_.pcie_width = integer("pcie_width", api_.nvmlDeviceGetCurrPcieLinkWidth);
    gpu_.pcie_max_generation = integer("pcie_max_generation", api_.nvmlDeviceGetMaxPcieLinkGeneration);
    gpu_.pcie_max_width = integer("pcie_max_width", api_.nvmlDeviceGetMaxPcieLinkWidth);
    ecc();
    mig();
    virtualization();
    pci_device_id();
  }

 private:
  /// True when the call was possible and answered; else the reason is noted.
  bool answered(const char* field, int status) {
    if (status == nvml::kSuccess) return true;
    const char* words = api_.nvmlErrorString(status);
    gpu_.reasons[field] = fmt::format("NVML answers {} ({})", words == nullptr ? "an error" : words, status);
    return false;
  }
  template <class Function, class... Arguments>
  bool ask(const char* field, Function function, Arguments... arguments) {
    if (function == nullptr) {
      gpu_.reasons[field] = "this NVML has no such call";
      return false;
    }
    return answered(field, function(arguments...));
  }

  template <unsigned kBytes, class Function>
  std::optional<std::string> text(const char* field, Function function) {
    std::array<char, kBytes> buffer{};
    if (!ask(field, function, buffer.data(), kBytes - 1)) return std::nullopt;
    return std::string(buffer.data());
  }
  template <unsigned kBytes, class Function>
  std::optional<std::string> device_text(const char* field, Function function) {
    std::array<char, kBytes> buffer{};
    if (!ask(field, function, device_, buffer.data(), kBytes - 1)) return std::nullopt;
    return std::string(buffer.data());
  }
  template <class Function>
  std::optional<int> integer(const char* field, Function function) {
    unsigned value = 0;
    if (!ask(field, function, device_, &value)) return std::nullopt;
    return static_cast<int>(value);
  }
  template <class Function>
  std::optional<double> scaled(const char* field, Function function, double factor) {
    unsigned value = 0;
    if (!ask(field, function, device_, &value)) return std::nullopt;
    return value * factor;
  }
  std::optional<double> clock(const char* field, int type) {
    unsigned mhz = 0;
    if (!ask(field, api_.nvmlDeviceGetMaxClockInfo, device_, type, &mhz)) return std::nullopt;
    return mhz;
  }

  void memory() {
    nvml::Memory memory{};
    if (ask("free_bytes", api_.nvmlDeviceGetMemoryInfo, device_, &memory)) {
      gpu_.free_bytes = static_cast<std::int64_t>(memory.free);
    }
  }
  void ecc() {
    int current = 0, pending = 0;
    // The driver's own answer stays where NVML has none.
    if (ask("ecc", api_.nvmlDeviceGetEccMode, device_, &current, &pending)) gpu_.ecc = current != 0;
  }
  void mig() {
    unsigned current = 0, pending = 0;
    if (ask("mig", api_.nvmlDeviceGetMigMode, device_, &current, &pending)) gpu_.mig = current != 0;
  }
  void virtualization() {
    int mode = 0;
    if (!ask("virtualization", api_.nvmlDeviceGetVirtualizationMode, device_, &mode)) return;
    // Passed-through GPUs and those of hosts are whole GPUs.
    gpu_.virtualization = mode == nvml::kVgpu ? "vgpu" : "none";
  }
  void pci_device_id() {
    nvml::PciInfo info{};
    if (!ask("pci_device_id", api_.nvmlDeviceGetPciInfo_v3, device_, &info)) return;
    gpu_.pci_device_id = fmt::format("{:04x}:{:04x}", info.pci_device_id & 0xffffU, info.pci_device_id >> 16);
  }

  const nvml::Api& api_;
  nvml::Device device_;
  GpuSight& gpu_;
};

void add_nvml(const LibraryCandidate& candidate, GpuSights& sights) {
  try {
    const nvml::LoadedLibrary library = nvml::load(candidate);
    nvml::check(library.api, library.api.nvmlInit_v2(), "nvmlInit_v2");
    for (GpuSight& gpu : sights.gpus) {
      nvml::Device device = nullptr;
      const int status = library.api.nvmlDeviceGetHandleByPciBusId_v2(gpu.pci_bus_id.c_str(), &device);
      if (status == nvml::kSuccess) {
        NvmlReader(library.api, device, gpu).read_all();
        gpu.health = read_health(library.api, gpu.pci_bus_id);
      } else {
        gpu.nvml_problem = fmt::format("NVML does not know this device (status {})", status);
      }
    }
    std::vector<std::string> pci_bus_ids;
    pci_bus_ids.reserve(sights.gpus.size());
    for (const GpuSight& gpu : sights.gpus) pci_bus_ids.push_back(gpu.pci_bus_id);
    sights.links = look_at_links(library.api, pci_bus_ids);
    (void)library.api.nvmlShutdown();
    const auto unknown = [](const GpuSight& gpu) { return !gpu.nvml_problem.empty(); };
    if (!sights.gpus.empty() && std::all_of(sights.gpus.begin(), sights.gpus.end(), unknown)) {
      sights.nvml_problem = sights.gpus.front().nvml_problem;
    }
  } catch (const Error& error) {
    sights.nvml_problem = error.what();
  }
}

}  // namespace

GpuSights look_at_gpus(const LibraryCandidate& driver, const std::optional<LibraryCandidate>& nvml) {
  const cuda::LoadedLibrary library = cuda::load(driver);
  const cuda::Api& api = library.api;
  cuda::check(api, api.cuInit(0), "cuInit");
  GpuSights sights;
  sights.simulated = library.simulated;
  cuda::check(api, api.cuDriverGetVersion(&sights.cuda_version), "cuDriverGetVersion");
  int count = 0;
  cuda::check(api, api.cuDeviceGetCount(&count), "cuDeviceGetCount");
  for (int ordinal = 0; ordinal < count; ++ordinal) sights.gpus.push_back(from_driver(api, ordinal));
  if (nvml) {
    add_nvml(*nvml, sights);
  } else {
    sights.nvml_problem = "libnvidia-ml.so.1 was not found";
  }
  return sights;
}

GpuSights look_at_gpus_in_child(const LibraryCandidate& driver, const std::vector<LibraryCandidate>& nvml,
                                std::chrono::milliseconds limit) {
  std::optional<GpuSights> first;
  std::string last_problem;
  for (std::size_t i = 0; i < std::max<std::size_t>(1, nvml.size()); ++i) {
    const auto candidate = i < nvml.size() ? std::optional(nvml[i]) : std::nullopt;
    const ChildAnswer answer = run_in_child(limit, [&] { return to_text(look_at_gpus(driver, candidate)); });
    if (answer.end != ChildEnd::answered) {
      last_problem = answer.text;
      continue;
    }
    GpuSights sights = sights_from_text(answer.text);
    sights.nvml_candidate = i;
    if (sights.nvml_problem.empty()) return sights;
    if (!first) first = std::move(sights);
  }
  // NVML may be what crashes or hangs: the driver alone is enough to measure.
  if (!first && !nvml.empty()) {
    const ChildAnswer answer = run_in_child(limit, [&] { return to_text(look_at_gpus(driver, std::nullopt)); });
    if (answer.end == ChildEnd::answered) {
      first = sights_from_text(answer.text);
      first->nvml_problem = "asking NVML failed: " + last_problem;
    } else {
      last_problem = answer.text;
    }
  }
  if (!first) {
    throw Error(
        ErrorCode::nothing_measurable,
        fmt::format("the NVIDIA driver works but does not describe its GPUs ({}); run nvidia-smi, and restart the "
                    "instance if that fails too",
                    last_problem));
  }
  return *first;
}

}  // namespace gpuassay
