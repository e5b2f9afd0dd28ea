#include "agent/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "agent/chosen_library.h"
#include "agent/driver_remedy.h"
#include "agent/exit_code.h"
#include "agent/library_remedy.h"
#include "core/gpu_peaks.h"
#include "core/gpu_specs.h"

namespace gpuassay {
namespace {

/// Our messages read "what is wrong; remedy".
std::pair<std::string, std::string> split_message(const std::string& message) {
  const std::size_t cut = message.find("; ");
  return cut == std::string::npos ? std::pair(message, std::string())
                                  : std::pair(message.substr(0, cut), message.substr(cut + 2));
}

/// "7.5" as 75; 0 when unknown.
int capability_of(const Device& device) {
  return capability_number(device.compute_capability.value_or("")).value_or(0);
}

/// "/dev/nvidia0" or another one of a GPU.
bool has_numbered_node(const std::vector<std::string>& nodes) {
  constexpr std::string_view kStart = "/dev/nvidia";
  return std::any_of(nodes.begin(), nodes.end(), [kStart](const std::string& node) {
    return node.starts_with(kStart) && node.size() > kStart.size() && node[kStart.size()] >= '0' &&
           node[kStart.size()] <= '9';
  });
}

/// What the checks share.
struct Patient {
  const DoctorFacts& facts;
  std::vector<Device> gpus;  ///< those that CUDA shows
  DriverHost host;

  explicit Patient(const DoctorFacts& known) : facts(known) {
    for (const Device& device : known.machine.inventory.devices) {
      if (device.kind == DeviceKind::cuda) gpus.push_back(device);
    }
    const std::vector<std::string>& nodes = known.nodes.found;
    host = {known.os_id, known.os_like, known.machine.inventory.host.container.value_or(""),
            capability_by_pci_id(known.on_pci_bus), std::count(nodes.begin(), nodes.end(), "/dev/dxg") > 0};
  }
  [[nodiscard]] bool has_problem(std::string_view code) const {
    return facts.machine.driver_problem && facts.machine.driver_problem->code == code;
  }
  /// Whether anything of this machine speaks of an NVIDIA GPU: not the control file alone, which images may bring.
  [[nodiscard]] bool has_gpu() const {
    return !gpus.empty() || !facts.on_pci_bus.empty() || has_numbered_node(facts.nodes.found);
  }
};

/// "Tesla T4" of "10de:1eb8", where the table of GPUs has it.
std::string name_of_pci_device(const std::string& id) {
  for (const GpuSpec& spec : gpu_specs()) {
    if (std::count(spec.pci_device_ids.begin(), spec.pci_device_ids.end(), id) > 0) {
      return fmt::format("{} ({})", spec.model, id);
    }
  }
  return id;
}

Check gpu_check(const Patient& patient) {
  Check check{"gpu", CheckState::ok, "", {}};
  const std::vector<std::string>& on_bus = patient.facts.on_pci_bus;
  if (patient.gpus.empty() && on_bus.empty()) {
    return {"gpu", CheckState::none, "no NVIDIA GPU on the PCI bus", {}};
  }
  std::map<std::string, int> counts;
  for (const Device& gpu : patient.gpus) {
    ++counts[fmt::format("{} (compute capability {})", gpu.name, gpu.compute_capability.value_or("unknown"))];
  }
  if (counts.empty()) {
    for (const std::string& id : on_bus) ++counts[name_of_pci_device(id)];
  }
  for (const auto& [name, count] : counts) {
    if (!check.what.empty()) check.what += ", ";
    check.what += count > 1 ? fmt::format("{} x {}", count, name) : name;
  }
  if (!patient.gpus.empty() && on_bus.size() > patient.gpus.size()) {
    check.what += fmt::format("; the PCI bus shows {}, CUDA {}", on_bus.size(), patient.gpus.size());
  }
  for (const auto& [index, health] : patient.facts.machine.health) {
    if (!health.lost) continue;
    check.state = CheckState::broken;
    check.what += fmt::format("; GPU {} fell off the PCI bus (NVML: GPU is lost)", index);
    check.remedy = {"restart the instance; when it happens again, give it back", ""};
  }
  return check;
}

/// Which of the files that every CUDA program opens are not there.
std::string missing_nodes(const std::vector<std::string>& found) {
  std::vector<std::string> missing;
  if (!has_numbered_node(found)) missing.emplace_back("/dev/nvidia0");
  for (const char* node : {"/dev/nvidiactl", "/dev/nvidia-uvm"}) {
    if (std::count(found.begin(), found.end(), node) == 0) missing.emplace_back(node);
  }
  return fmt::format("{}", fmt::join(missing, ", "));
}

Check broken_nodes(const Patient& patient) {
  Check check{"device_files", CheckState::broken, fmt::format("{}", fmt::join(patient.facts.nodes.unusable, ", ")), {}};
  if (patient.host.in_container()) {
    check.remedy = pass_gpu_into(patient.host.container);
    check.remedy.advice = "restart the container; if that does not help, " + check.remedy.advice;
  } else {
    check.remedy = {"the driver's own default lets every user in", "sudo chmod 666 /dev/nvidia*"};
  }
  return check;
}

/// The device files of the driver; nothing where CUDA works without them (Windows Subsystem for Linux).
std::optional<Check> node_check(const Patient& patient) {
  const DeviceNodes& nodes = patient.facts.nodes;
  if (!patient.gpus.empty()) {
    if (nodes.found.empty()) return std::nullopt;
    return Check{"device_files", CheckState::ok, fmt::format("{}", fmt::join(nodes.found, ", ")), {}};
  }
  if (patient.host.wsl) return std::nullopt;
  if (!nodes.unusable.empty()) return broken_nodes(patient);
  const std::string missing = missing_nodes(nodes.found);
  if (missing.empty()) {
    return Check{"device_files", CheckState::ok, fmt::format("{}", fmt::join(nodes.found, ", ")), {}};
  }
  Check check{"device_files", CheckState::missing, fmt::format("there is no {}", missing), {}};
  if (patient.host.in_container()) {
    check.remedy = pass_gpu_into(patient.host.container);
  } else if (patient.has_problem("driver_missing")) {
    check.remedy.advice = "they come with the driver";
  } else {
    check.remedy = {"load the driver's kernel modules; if that fails, reboot and see the kernel log for NVRM lines",
                    "sudo modprobe -a nvidia nvidia-uvm && sudo nvidia-modprobe -c 0 -u"};
  }
  return check;
}

Check driver_check(const Patient& patient) {
  const Machine& machine = patient.facts.machine;
  if (!patient.gpus.empty()) {
    return {"driver",
            CheckState::ok,
            fmt::format("{} (CUDA {}.{})", patient.gpus.front().driver_version.value_or("version unknown"),
                        machine.driver_cuda_version / 1000, machine.driver_cuda_version % 1000 / 10),
            {}};
  }
  if (!machine.driver_problem) {
    return {"driver", CheckState::broken, machine.problem.value_or("CUDA shows no GPU"), {}};
  }
  const auto [what, advice] = split_message(machine.driver_problem->message);
  const bool missing = patient.has_problem("driver_missing");
  Check check{"driver", missing ? CheckState::missing : CheckState::broken, what, {advice, ""}};
  const Remedy other =
      patient.host.in_container() ? pass_gpu_into(patient.host.container) : install_driver(patient.host);
  if (missing) check.remedy = other;
  // The stub stands in the way of the driver as well as in its place.
  if (patient.has_problem("driver_stub")) check.remedy.command = other.command;
  if (patient.has_problem("no_cuda_device") && patient.host.in_container()) check.remedy.command = other.command;
  if (patient.has_problem("driver_too_old")) {
    check.remedy = install_driver(patient.host);
    if (patient.host.in_container()) check.remedy.advice = "on the host: " + check.remedy.advice;
  }
  return check;
}

/// No copy is usable: was one found, and what was wrong with it?
Check without_library(const Patient& patient, LibraryKind kind, int capability, const std::string& cost) {
  Check check{"", CheckState::missing, "not installed: " + cost, {}};
  for (const Library& library : patient.facts.machine.inventory.libraries) {
    if (library.name != name_of(kind) || library.path_kind == "absent" || library.chosen_for) continue;
    const std::string reason = library.rejected_reason.value_or("not usable");
    if (reason.starts_with("not needed")) continue;  // by GPUs of another kind
    check.state = CheckState::broken;
    check.what = fmt::format("{} ({}); without another one {}", reason, library.path_kind, cost);
    break;
  }
  const DeviceNeeds needs{capability, patient.facts.machine.driver_cuda_version};
  check.remedy.command = install_command(kind, needs);
  check.remedy.advice = check.remedy.command.empty()
                            ? "no version of it supports this GPU under this driver; a newer driver may help"
                            : "the version that supports this GPU under this driver:";
  return check;
}

/// What multiplies matrices (cuBLASLt, on Kepler cuBLAS) or convolves on GPUs of this kind.
Check library_check(const Patient& patient, LibraryKind kind, const Device& gpu, const std::string& cost) {
  const Library* chosen = chosen_library(patient.facts.machine.inventory.libraries, name_of(kind), gpu);
  if (chosen == nullptr) return without_library(patient, kind, capability_of(gpu), cost);
  return {"", CheckState::ok, fmt::format("{} ({})", chosen->version.value_or("?"), chosen->path_kind), {}};
}

/// cuBLAS with cuBLASLt, and cuDNN, for every kind of GPU on the machine.
void add_library_checks(const Patient& patient, std::vector<Check>& checks) {
  std::map<int, Device> kinds;
  for (const Device& gpu : patient.gpus) kinds.emplace(capability_of(gpu), gpu);
  for (const auto& [capability, gpu] : kinds) {
    const std::string suffix = kinds.size() > 1 ? " " + gpu.compute_capability.value_or("?") : "";
    const bool has_cublas = chosen_library(patient.facts.machine.inventory.libraries, "cublas", gpu) != nullptr;
    const LibraryKind multiplies = capability < kFirstMaxwell ? LibraryKind::cublas : LibraryKind::cublaslt;
    checks.push_back(library_check(patient, multiplies, gpu,
                                   has_cublas ? "matrix multiplication is left to cuBLAS without cuBLASLt"
                                              : "no matrix multiplication is measured, nor a score"));
    checks.back().name = "cublas" + suffix;
    checks.push_back(library_check(patient, LibraryKind::cudnn, gpu, "no convolution is measured, nor a score"));
    checks.back().name = "cudnn" + suffix;
  }
}

Check nvml_check(const Patient& patient) {
  const auto& selections = patient.facts.machine.selections;
  const bool every = std::all_of(patient.gpus.begin(), patient.gpus.end(), [&](const Device& gpu) {
    const auto found = selections.find(gpu.index);
    return found != selections.end() && found->second.nvml.has_value();
  });
  if (every) return {"nvml", CheckState::ok, "clocks, power and temperature are watched", {}};
  return {"nvml",
          CheckState::missing,
          "libnvidia-ml.so.1 is absent or does not answer: clocks, power and temperature stay unknown",
          {patient.host.in_container() ? "start the container with NVIDIA_DRIVER_CAPABILITIES=compute,utility"
                                       : "it comes with the driver: reinstall that",
           ""}};
}

Check onednn_check(const Patient& patient) {
  const Library& onednn = patient.facts.onednn;
  if (!onednn.rejected_reason) {
    return {"onednn", CheckState::ok, fmt::format("{} ({})", onednn.version.value_or("?"), onednn.path_kind), {}};
  }
  const auto [what, advice] = split_message(*onednn.rejected_reason);
  const bool absent = onednn.path_kind == "absent";
  Check check{"onednn", absent ? CheckState::missing : CheckState::broken, what, {advice, ""}};
  if (patient.has_gpu()) check.what += " (needed for --device cpu only)";
  return check;
}

Check data_dir_check(const DoctorFacts& facts) {
  if (facts.data_dir_problem.empty()) return {"data_dir", CheckState::ok, facts.data_dir, {}};
  const auto [what, advice] = split_message(facts.data_dir_problem);
  return {"data_dir", CheckState::broken, what, {advice, ""}};
}

}  // namespace

std::string_view name_of(CheckState state) {
  switch (state) {
    case CheckState::ok: return "ok";
    case CheckState::missing: return "missing";
    case CheckState::broken: return "broken";
    case CheckState::none: return "none";
  }
  return "?";
}

Diagnosis diagnose(const DoctorFacts& facts) {
  const Patient patient(facts);
  Diagnosis diagnosis;
  std::vector<Check>& checks = diagnosis.checks;
  checks.push_back(gpu_check(patient));
  if (patient.has_gpu()) {
    if (auto nodes = node_check(patient)) checks.push_back(std::move(*nodes));
  }
  // Without any sign of a GPU a missing driver is no fault; one that is there and fails is worth a word.
  if (patient.has_gpu() || (facts.machine.driver_problem && !patient.has_problem("driver_missing"))) {
    checks.push_back(driver_check(patient));
  }
  if (!patient.gpus.empty()) {
    add_library_checks(patient, checks);
    checks.push_back(nvml_check(patient));
  }
  checks.push_back(onednn_check(patient));
  checks.push_back(data_dir_check(facts));

  const Machine& machine = facts.machine;
  if (!machine.problem && !machine.inventory.devices.empty()) {
    diagnosis.measures = machine.inventory.devices.front().kind;
  }
  if (!diagnosis.measures) {
    diagnosis.exit_code = kExitNothingMeasurable;
  } else if (!facts.data_dir_problem.empty()) {
    diagnosis.exit_code = kExitNotSaved;
  }
  return diagnosis;
}

}  // namespace gpuassay
