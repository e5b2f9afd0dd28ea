#include "agent/inventory.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "agent/cuda_machine.h"
#include "agent/dynlib/in_child.h"
#include "agent/dynlib/onednn.h"
#include "agent/probe.h"
#include "agent/probe/pci_bus.h"
#include "core/error.h"
#include "core/key_file.h"
#include "core/price_question.h"

namespace gpuassay {
namespace {

using Kind = DeviceChoice::Kind;
using Clock = std::chrono::steady_clock;

bool about_a_device(const Unknown& unknown) { return unknown.path.starts_with("/devices/"); }

/// "/devices/3/ecc" of the device with index 3, which now stands at `position`.
std::string moved(const std::string& path, int index, std::size_t position) {
  const std::string old_base = fmt::format("/devices/{}/", index);
  return fmt::format("/devices/{}/{}", position, path.substr(old_base.size()));
}

void add_cuda_device(const CudaMachine& cuda, std::size_t at, Machine& machine) {
  const Device& device = cuda.devices[at];
  const std::size_t position = machine.inventory.devices.size();
  machine.inventory.devices.push_back(device);
  machine.selections[device.index] = cuda.selections[at];
  machine.uuids[device.index] = cuda.uuids[at];
  machine.health[device.index] = cuda.health[at];
  for (const Unknown& unknown : cuda.unknown) {
    if (!unknown.path.starts_with(fmt::format("/devices/{}/", device.index))) continue;
    machine.inventory.unknown.push_back({moved(unknown.path, device.index, position), unknown.reason});
  }
}

/// Between any two of the GPUs that are measured.
void add_links(const CudaMachine& cuda, Inventory& inventory) {
  const auto is_measured = [&inventory](int index) {
    return std::any_of(inventory.devices.begin(), inventory.devices.end(),
                       [index](const Device& device) { return device.index == index; });
  };
  for (const DeviceLink& link : cuda.links) {
    if (is_measured(link.device) && is_measured(link.peer)) inventory.links.push_back(link);
  }
  if (inventory.links.empty()) return;
  for (const Unknown& unknown : cuda.unknown) {
    if (unknown.path == "/links") inventory.unknown.push_back(unknown);
  }
}

/// GPUs in the place of the CPU that probe() listed.
void take_cuda_devices(const CudaMachine& cuda, const DeviceChoice& choice, Machine& machine) {
  Inventory& inventory = machine.inventory;
  inventory.devices.clear();
  std::erase_if(inventory.unknown, about_a_device);
  for (std::size_t at = 0; at < cuda.devices.size(); ++at) {
    const bool wanted = choice.kind != Kind::some ||
                        std::count(choice.indices.begin(), choice.indices.end(), cuda.devices[at].index) > 0;
    if (wanted) add_cuda_device(cuda, at, machine);
  }
  add_links(cuda, inventory);
  inventory.free_memory_bytes = cuda.free_bytes;
  if (inventory.devices.size() < cuda.devices.size()) {
    inventory.unknown.push_back(
        {"/devices", fmt::format("{}: {} of {} GPUs were measured, as --device says", kPartOfMachine,
                                 inventory.devices.size(), cuda.devices.size())});
  }
  if (choice.kind == Kind::some && inventory.devices.size() < choice.indices.size()) {
    machine.problem =
        fmt::format("--device asks for a GPU that is not there; CUDA shows {}, numbered from 0", cuda.devices.size());
  }
}

/// No GPU will be measured: is that what was asked for, or a reason to stop?
std::optional<std::string> why_no_gpu(const CudaMachine& cuda, const DeviceChoice& choice,
                                      const std::vector<std::string>& on_pci_bus) {
  std::string driver = cuda.problem ? cuda.problem->message : "CUDA shows no GPU";
  if (choice.kind == Kind::automatic && on_pci_bus.empty()) return std::nullopt;
  if (on_pci_bus.empty()) return driver;
  return fmt::format("the PCI bus shows an NVIDIA GPU ({}) that CUDA cannot use: {}{}", on_pci_bus.front(), driver,
                     choice.kind == Kind::automatic ? "; to measure the CPU instead, use --device cpu" : "");
}

void take_cpu(Machine& machine, Clock::time_point deadline) {
  Inventory& inventory = machine.inventory;
  const TryLimit limit{onednn::kLookLimit, deadline};
  const std::vector<Library> found = onednn::describe(LibrarySearch::from_environment(), limit.now());
  inventory.libraries.insert(inventory.libraries.end(), found.begin(), found.end());
  for (const Library& library : found) {
    if (library.rejected_reason) machine.problem = library.rejected_reason;
  }
}

}  // namespace

Machine look_at_machine(const Environment& environment, const DeviceChoice& choice, double limit_s) {
  const auto deadline =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(limit_s));
  Machine machine;
  machine.inventory = probe(probe_inputs(environment.system_root));
  machine.simulated = environment.simulated();
  // Recorded facts describe another machine; what is pinned and executed follows the one that really measures.
  if (environment.simulated()) machine.inventory.cpu = probe(probe_inputs()).cpu;
  if (choice.kind == Kind::cpu) {
    take_cpu(machine, deadline);
    return machine;
  }
  const SystemRoot root(environment.system_root);
  const CudaMachine cuda = look_for_cuda(root, deadline);
  machine.simulated = machine.simulated || cuda.simulated;
  machine.driver_cuda_version = cuda.driver_cuda_version;
  machine.driver_problem = cuda.problem;
  machine.inventory.libraries = cuda.libraries;
  if (!cuda.devices.empty()) {
    machine.kernel_log = std::make_shared<KernelLog>(root);
    take_cuda_devices(cuda, choice, machine);
    return machine;
  }
  machine.problem = why_no_gpu(cuda, choice, nvidia_pci_devices(root));
  if (!machine.problem) take_cpu(machine, deadline);
  return machine;
}

std::vector<GroupMember> group_members(const Machine& machine) {
  std::vector<GroupMember> members;
  for (const Device& device : machine.inventory.devices) {
    const auto selection = machine.selections.find(device.index);
    if (selection != machine.selections.end())
      members.push_back({device.index, selection->second, device.mig.has_value()});
  }
  return members;
}

IdentifierHash identifier_hash(const Environment& environment) {
  // Read at the first identifier: most machines have none, and need no key until they upload.
  const auto key = std::make_shared<std::optional<KeyPair>>();
  const auto tried = std::make_shared<bool>(false);
  return [key, tried, path = (environment.data_dir / "key").string()](
             std::string_view kind, std::string_view identifier) -> std::optional<std::string> {
    try {
      if (!std::exchange(*tried, true)) *key = load_or_create_key(path);
    } catch (const Error&) {  // its message has a path, which must not leave the machine
      key->reset();
    }
    if (!*key) return std::nullopt;
    return (*key)->identifier_hash(kind, identifier);
  };
}

void hash_identifiers(Machine& machine, const IdentifierHash& hash) {
  if (machine.uuids.empty()) return;
  Inventory& inventory = machine.inventory;
  for (std::size_t position = 0; position < inventory.devices.size(); ++position) {
    Device& device = inventory.devices[position];
    const auto uuid = machine.uuids.find(device.index);
    std::string reason = "the driver does not tell it";
    if (uuid != machine.uuids.end() && !uuid->second.empty()) {
      device.uuid_hash = hash("gpu_uuid", uuid->second);
      reason = "this machine has no key: the data directory cannot be used";
    }
    if (!device.uuid_hash) inventory.unknown.push_back({fmt::format("/devices/{}/uuid_hash", position), reason});
  }
}

namespace {

DeviceHealth health_between(const GpuHealth& before, const GpuHealth& after) {
  return {before.corrected_errors, after.corrected_errors, before.volatile_errors, after.volatile_errors};
}

/// Numbers of the Xid errors that the driver logged about a device.
std::vector<int> numbers_of(const std::vector<Xid>& xids, const std::string& pci_bus_id) {
  constexpr std::size_t kMostNumbers = 32;  // of the document
  std::vector<int> numbers;
  for (const Xid& xid : xids) {
    if (concerns(xid, pci_bus_id) && numbers.size() < kMostNumbers) numbers.push_back(xid.number);
  }
  return numbers;
}

void add_xids(const Machine& machine, FaultsSince& since) {
  const auto xids = machine.kernel_log ? machine.kernel_log->xids() : std::nullopt;
  if (!xids) return;
  for (const auto& [index, selection] : machine.selections)
    since.health[index].xids = numbers_of(*xids, selection.pci_bus_id);
}

}  // namespace

FaultsSince faults_since(const Machine& machine, std::chrono::milliseconds limit) {
  std::vector<int> indices;
  std::vector<std::string> pci_bus_ids;
  std::optional<LibraryCandidate> nvml;
  for (const auto& [index, selection] : machine.selections) {
    if (!selection.nvml) continue;
    nvml = selection.nvml;  // one driver, one NVML
    indices.push_back(index);
    pci_bus_ids.push_back(selection.pci_bus_id);
  }
  FaultsSince since;
  add_xids(machine, since);
  if (!nvml) return since;
  const std::vector<GpuHealth> now = look_at_health(*nvml, pci_bus_ids, limit);
  if (now.empty()) {
    since.unknown.push_back(
        {"/reasons", "NVML did not answer at the end: what broke and only it would tell is unknown"});
  }
  for (std::size_t i = 0; i < now.size(); ++i) {
    DeviceHealth health = health_between(machine.health.at(indices[i]), now[i]);
    health.xids = std::move(since.health[indices[i]].xids);
    since.health[indices[i]] = std::move(health);
    const auto fault = fault_between(machine.health.at(indices[i]), now[i]);
    if (!fault) continue;
    since.faults.push_back(
        {std::string(name_of(ErrorCode::hardware_fault)), fmt::format("GPU {}: {}", indices[i], *fault), indices[i]});
  }
  return since;
}

void require_measurable(const Machine& machine) {
  if (machine.problem) throw Error(ErrorCode::nothing_measurable, *machine.problem);
}

}  // namespace gpuassay
