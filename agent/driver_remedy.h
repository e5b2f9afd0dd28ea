// Which command brings the NVIDIA driver, or the GPU into this container? Pure.
#pragma once

#include <string>
#include <vector>

namespace gpuassay {

/// The compute capability, times ten, from which on a card is newer than Kepler.
inline constexpr int kFirstMaxwell = 50;

/// What to do: in words, and as a command to type where there is an exact one. Either may be empty.
struct Remedy {
  std::string advice;
  std::string command;
};

/// What the machine is, as far as its driver goes.
struct DriverHost {
  std::string os_id;           ///< ID of os-release: "ubuntu"; empty = unknown
  std::string os_like;         ///< ID_LIKE of os-release: "rhel centos fedora"
  std::string container;       ///< as `host.container`: "docker"; empty or "none" outside of one
  int compute_capability = 0;  ///< 10 x major + minor of the GPU; 0 = unknown
  bool wsl = false;            ///< Windows Subsystem for Linux, whose driver is that of Windows

  [[nodiscard]] bool in_container() const { return !container.empty() && container != "none"; }
};

/// Compute capability of the first of these PCI ids ("10de:1eb8") that core/data/gpu_specs.csv has; 0 when none is.
int capability_by_pci_id(const std::vector<std::string>& pci_ids);

/// The driver branch that still supports the GPU, by the package manager of the distribution. The commands are those of
/// the distributions' and NVIDIA's documentation; no test can run them.
Remedy install_driver(const DriverHost& host);

/// How a container of this kind is given the GPU of its host.
Remedy pass_gpu_into(const std::string& container);

}  // namespace gpuassay
