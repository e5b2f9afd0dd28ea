#include "agent/driver_remedy.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/gpu_peaks.h"
#include "core/gpu_specs.h"

namespace gpuassay {
namespace {

constexpr int kFirstBlackwell = 100;
constexpr const char* kAnotherImage = "or choose an image that has the NVIDIA driver";

/// Kepler ends with branch 470; 580 serves everything from Maxwell on, and is the last for Maxwell to Volta.
bool is_kepler(const DriverHost& host) {
  return host.compute_capability > 0 && host.compute_capability < kFirstMaxwell;
}
/// From Blackwell on only the open kernel modules support the GPU.
bool needs_open_modules(const DriverHost& host) { return host.compute_capability >= kFirstBlackwell; }

bool is_like(const DriverHost& host, const std::string& family) {
  return host.os_id == family || (" " + host.os_like + " ").find(" " + family + " ") != std::string::npos;
}

std::string ubuntu_command(const DriverHost& host) {
  if (is_kepler(host)) return "sudo apt-get install nvidia-driver-470";
  return needs_open_modules(host) ? "sudo apt-get install nvidia-driver-580-open"
                                  : "sudo apt-get install nvidia-driver-580";
}

Remedy debian_remedy(const DriverHost& host) {
  if (needs_open_modules(host)) {
    return {fmt::format("add NVIDIA's repository (Debian's own driver is older than this GPU), then reboot; {}",
                        kAnotherImage),
            "sudo apt-get install nvidia-open"};
  }
  return {fmt::format("enable contrib and non-free of Debian, install, then reboot; {}", kAnotherImage),
          is_kepler(host) ? "sudo apt-get install nvidia-tesla-470-driver"
                          : "sudo apt-get install linux-headers-amd64 nvidia-driver"};
}

std::string rhel_command(const DriverHost& host) {
  if (is_kepler(host)) return "sudo dnf module install nvidia-driver:470-dkms";
  return fmt::format("sudo dnf module install nvidia-driver:580-{}", needs_open_modules(host) ? "open" : "dkms");
}

}  // namespace

int capability_by_pci_id(const std::vector<std::string>& pci_ids) {
  for (const std::string& id : pci_ids) {
    for (const GpuSpec& spec : gpu_specs()) {
      if (std::count(spec.pci_device_ids.begin(), spec.pci_device_ids.end(), id) == 0) continue;
      return capability_number(spec.compute_capability).value_or(0);
    }
  }
  return 0;
}

Remedy install_driver(const DriverHost& host) {
  if (host.wsl) return {"install the NVIDIA driver of Windows; Linux below it needs none of its own", ""};
  if (is_like(host, "ubuntu")) {
    return {fmt::format("install the driver, then reboot; {}", kAnotherImage), ubuntu_command(host)};
  }
  if (is_like(host, "debian")) return debian_remedy(host);
  // Fedora itself has no module streams; Amazon Linux 2023, which calls itself like it, has.
  if (is_like(host, "rhel") || is_like(host, "centos") || host.os_id == "amzn") {
    return {fmt::format("add NVIDIA's repository, install, then reboot; {}", kAnotherImage), rhel_command(host)};
  }
  return {fmt::format("install driver branch {} from https://www.nvidia.com/drivers, then reboot; {}",
                      is_kepler(host) ? "470" : "580", kAnotherImage),
          ""};
}

Remedy pass_gpu_into(const std::string& container) {
  if (container == "podman") {
    return {"install nvidia-container-toolkit on the host and start the container with its GPUs",
            "podman run --device nvidia.com/gpu=all IMAGE"};
  }
  if (container == "kubernetes") {
    return {
        "install NVIDIA's device plugin in the cluster and ask for a GPU in the pod: resources.limits "
        "nvidia.com/gpu: 1",
        ""};
  }
  if (container == "lxc") {
    return {"install nvidia-container-toolkit on the host and give the container its GPUs (nvidia.runtime=true)",
            "lxc config device add CONTAINER gpu gpu"};
  }
  return {"install nvidia-container-toolkit on the host and start the container with its GPUs",
          "docker run --gpus all IMAGE"};
}

}  // namespace gpuassay
