#include "agent/cuda_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>

#include "agent/dynlib/cuda_driver.h"
#include "agent/dynlib/find_driver.h"
#include "agent/dynlib/library_choice.h"
#include "agent/dynlib/nvml.h"
#include "agent/dynlib/nvrtc.h"
#include "agent/probe/look_at_gpus.h"
#include "agent/probe/pci_bus.h"
#include "core/error.h"

namespace gpuassay {
namespace {

constexpr std::chrono::seconds kDescribeLimit{60};
/// A context, a library of half a gigabyte and one operation, from a cold disk.
constexpr std::chrono::seconds kConfirmLimit{60};

/// Every candidate of one library, each with its version; looked at once for all devices.
struct Copies {
  LibraryKind kind;
  LookedAt looked;
};

/// What the search shares.
struct Search {
  SystemRoot root;
  std::chrono::steady_clock::time_point deadline;            ///< for driver and devices: without them there is nothing
  std::chrono::steady_clock::time_point libraries_deadline;  ///< then the best guess serves
  LibraryEnvironment environment = LibraryEnvironment::from_process();
  LibrarySearch overrides = LibrarySearch::from_environment();

  [[nodiscard]] TryLimit each(std::chrono::milliseconds limit) const { return {limit, libraries_deadline}; }
  /// `wanted`, or what is left of the time; a moment at least, so that what follows can say that it was too short.
  [[nodiscard]] std::chrono::milliseconds at_most(std::chrono::milliseconds wanted) const {
    constexpr std::chrono::milliseconds kMoment{100};
    return std::max(TryLimit{wanted, deadline}.now(), kMoment);
  }

  [[nodiscard]] std::vector<LibraryCandidate> find(const std::vector<std::string>& sonames) const {
    return find_candidates(root, environment, overrides, sonames);
  }
};

/// Empty, or what is in doubt; a broken device is not the library's fault: its cases shall show it.
std::string run_and_verify(const CudaSelection& selection, const OperationParams& params) {
  std::unique_ptr<Backend> backend;
  try {
    backend = make_cuda_backend(selection);
  } catch (const Error& error) {
    return error.what();
  }
  try {
    const std::unique_ptr<Operation> operation = backend->prepare(params);
    (void)operation->run_timed_ns(1);
    return operation->verify().passed ? "" : "the confirming operation gave a wrong result";
  } catch (const Error&) {
    const auto fatal = backend->fatal_error();
    if (fatal && fatal->code() == ErrorCode::hardware_fault) return fatal->what();
    throw;
  }
}

/// Why none of the copies works though one should; empty when there is none, or none that fits the device.
std::optional<std::string> broken_copy(const LibraryChoice& choice) {
  if (choice.chosen) return std::nullopt;
  for (const RejectedLibrary& rejected : choice.rejected) {
    if (!rejected.broken) continue;
    return fmt::format("{}{} ({}) is there but does not work: {}", rejected.file.soname,
                       rejected.version ? " " + rejected.version->text() : "", rejected.file.path_kind,
                       rejected.reason);
  }
  return std::nullopt;
}

/// One tiny operation with this copy alone; empty, or what is in doubt.
std::string confirm(CudaSelection selection, LibraryKind kind, const VersionedLibrary& library) {
  constexpr std::int64_t kSize = 64;
  const GemmParams gemm{DType::fp32, kSize, kSize, kSize, 1};
  switch (kind) {
    case LibraryKind::cublas: selection.cublas = library.file; return run_and_verify(selection, gemm);
    case LibraryKind::cublaslt: selection.cublaslt = library.file; return run_and_verify(selection, gemm);
    case LibraryKind::cudnn: {
      selection.cudnn = library.file;
      return run_and_verify(selection, ConvParams{DType::fp32, ConvDirection::forward, 1, 16, 8, 8, 16, 3, 3, 1, 1});
    }
    case LibraryKind::nccl: return {};
  }
  return {};
}

const Copies& copies_of(const std::vector<Copies>& all, LibraryKind kind) {
  return *std::find_if(all.begin(), all.end(), [kind](const Copies& copies) { return copies.kind == kind; });
}

/// The libraries of one kind of device; fills `selection` and adds to `libraries`.
void choose_libraries(const Search& search, const std::vector<Copies>& all, const DeviceNeeds& device,
                      const std::string& chosen_for, CudaSelection& selection, std::vector<Library>& libraries) {
  const std::vector<LibraryCandidate> run_time_compilers = search.find(nvrtc::sonames());
  for (const Copies& copies : all) {
    LibraryOrder order = choose(copies.kind, copies.looked.found, device);
    order.rejected.insert(order.rejected.end(), copies.looked.rejected.begin(), copies.looked.rejected.end());
    const auto companions_of = [&](const VersionedLibrary& library) {
      const auto blas = companion_cublas(library, copies_of(all, LibraryKind::cublas).looked.found);
      return cudnn::Companions{blas ? std::optional(blas->file) : std::nullopt,
                               nvrtc::companion_of(library, run_time_compilers)};
    };
    const LibraryChoice choice = confirm_first(order, search.each(kConfirmLimit), [&](const VersionedLibrary& library) {
      CudaSelection alone = selection;
      if (copies.kind == LibraryKind::cudnn) alone.cudnn_companions = companions_of(library);
      return confirm(std::move(alone), copies.kind, library);
    });
    const auto entries = library_entries(copies.kind, choice, chosen_for);
    libraries.insert(libraries.end(), entries.begin(), entries.end());
    if (copies.kind == LibraryKind::cublas) selection.broken_cublas = broken_copy(choice);
    if (copies.kind == LibraryKind::cudnn) selection.broken_cudnn = broken_copy(choice);
    if (!choice.chosen) continue;
    if (copies.kind == LibraryKind::cublas) selection.cublas = choice.chosen->file;
    if (copies.kind == LibraryKind::cublaslt) selection.cublaslt = choice.chosen->file;
    if (copies.kind == LibraryKind::nccl) selection.nccl = choice.chosen->file;
    if (copies.kind == LibraryKind::cudnn) {
      selection.cudnn = choice.chosen->file;
      selection.cudnn_companions = companions_of(*choice.chosen);
    }
  }
}

Library driver_entry(const LibraryCandidate& driver, const GpuSights& sights) {
  Library entry;
  entry.name = "cuda_driver";
  entry.path_kind = driver.path_kind;
  entry.chosen_for = "cuda";
  if (!sights.gpus.empty()) entry.version = driver_version_text(sights, sights.gpus.front());
  return entry;
}

/// Its NUMA node is the kernel's to tell.
void add_numa_node(const SystemRoot& root, const GpuSight& gpu, CudaMachine& machine) {
  NumaFinding numa = numa_node_of(root, gpu.pci_bus_id);
  Device& device = machine.devices.back();
  device.numa_node = numa.node;
  if (!numa.node)
    machine.unknown.push_back({fmt::format("/devices/{}/numa_node", device.index), std::move(numa.reason)});
}

void add_devices(const SystemRoot& root, const GpuSights& sights, const LibraryCandidate& driver,
                 const std::vector<LibraryCandidate>& nvml, CudaMachine& machine) {
  machine.links = links_between(sights, machine.unknown);
  for (std::size_t i = 0; i < sights.gpus.size(); ++i) {
    const GpuSight& gpu = sights.gpus[i];
    machine.devices.push_back(device_of(sights, i, machine.unknown));
    add_numa_node(root, gpu, machine);
    machine.uuids.push_back(gpu.uuid.value_or(""));
    machine.health.push_back(gpu.health);
    // NVML counts a whole board's memory, the driver that of the slice.
    if (gpu.free_bytes && *gpu.free_bytes <= gpu.memory_bytes) {
      machine.free_bytes[static_cast<int>(i)] = *gpu.free_bytes;
    }
    CudaSelection selection;
    selection.ordinal = gpu.ordinal;
    selection.pci_bus_id = gpu.pci_bus_id;
    selection.driver = driver;
    const bool told = sights.nvml_problem.empty() && gpu.nvml_problem.empty();
    if (told && !nvml.empty()) selection.nvml = nvml.at(sights.nvml_candidate);
    machine.selections.push_back(std::move(selection));
  }
}

void add_libraries(const Search& search, const GpuSights& sights, CudaMachine& machine) {
  std::vector<Copies> all;
  for (const LibraryKind kind : {LibraryKind::cublas, LibraryKind::cublaslt, LibraryKind::cudnn, LibraryKind::nccl}) {
    all.push_back({kind, look_at(kind, search.find(sonames_of(kind)), search.each(kLookLimit))});
  }
  std::set<int> capabilities;
  for (const GpuSight& gpu : sights.gpus) capabilities.insert(gpu.compute_capability);
  for (const int capability : capabilities) {
    const auto has_it = [capability](const GpuSight& gpu) { return gpu.compute_capability == capability; };
    const auto first = std::find_if(sights.gpus.begin(), sights.gpus.end(), has_it) - sights.gpus.begin();
    CudaSelection chosen = machine.selections[static_cast<std::size_t>(first)];
    const std::string chosen_for =
        capabilities.size() == 1 ? "cuda" : fmt::format("cuda {}.{}", capability / 10, capability % 10);
    choose_libraries(search, all, {capability, sights.cuda_version}, chosen_for, chosen, machine.libraries);
    for (std::size_t i = 0; i < sights.gpus.size(); ++i) {
      if (!has_it(sights.gpus[i])) continue;
      machine.selections[i].cublas = chosen.cublas;
      machine.selections[i].cublaslt = chosen.cublaslt;
      machine.selections[i].cudnn = chosen.cudnn;
      machine.selections[i].nccl = chosen.nccl;
      machine.selections[i].broken_cublas = chosen.broken_cublas;
      machine.selections[i].broken_cudnn = chosen.broken_cudnn;
      machine.selections[i].cudnn_companions = chosen.cudnn_companions;
    }
  }
  for (const Copies& copies : all) {
    for (const VersionedLibrary& library : copies.looked.found) machine.simulated |= library.simulated;
  }
}

}  // namespace

CudaMachine look_for_cuda(const SystemRoot& root, std::chrono::steady_clock::time_point deadline) {
  const auto now = std::chrono::steady_clock::now();
  const Search search{root, deadline, now + (deadline - now) / 2};
  CudaMachine machine;
  const DriverSearch found = find_driver(search.find({cuda::kSoname}), [&](const LibraryCandidate& candidate) {
    return look_at_driver(candidate, search.at_most(kDriverStartLimit));
  });
  machine.simulated = found.sight.simulated;
  machine.driver_cuda_version = found.sight.cuda_version;
  if (!found.driver) {
    machine.problem = found.problem;
    return machine;
  }
  const std::vector<LibraryCandidate> nvml = search.find({nvml::kSoname});
  GpuSights sights;
  try {
    sights = look_at_gpus_in_child(*found.driver, nvml, search.at_most(kDescribeLimit));
  } catch (const Error& error) {
    machine.problem = DriverProblem{"driver_failed", error.what(), 0};
    return machine;
  }
  machine.libraries.push_back(driver_entry(*found.driver, sights));
  add_devices(root, sights, *found.driver, nvml, machine);
  add_libraries(search, sights, machine);
  return machine;
}

}  // namespace gpuassay
