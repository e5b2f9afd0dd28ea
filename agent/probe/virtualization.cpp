#include "agent/probe/virtualization.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "agent/probe/host_facts.h"
#include "core/ascii.h"

namespace gpuassay {
namespace {

struct Firmware {
  std::string vendor, product, bios;
  [[nodiscard]] bool silent() const { return vendor.empty() && product.empty() && bios.empty(); }
};

enum class Field { vendor, product, bios };

/// A firmware string that names a hypervisor. `also_on_metal`: the same string stands on bare-metal machines of
/// that maker, so it counts only together with the hypervisor flag.
struct Signature {
  Field field;
  std::string_view contains;
  std::string_view name;
  bool also_on_metal;
};

// The first match wins: clouds before the hypervisors they are built on.
constexpr std::array<Signature, 22> kSignatures{{
    {Field::vendor, "Amazon EC2", "amazon", true},
    {Field::product, "Google Compute Engine", "google", true},
    {Field::vendor, "Google", "google", true},
    {Field::product, "VMware", "vmware", false},
    {Field::vendor, "VMware", "vmware", false},
    {Field::product, "VirtualBox", "virtualbox", false},
    {Field::vendor, "innotek GmbH", "virtualbox", false},
    {Field::product, "Virtual Machine", "microsoft", true},  // of vendor Microsoft only
    {Field::vendor, "Xen", "xen", false},
    {Field::bios, "Xen", "xen", false},
    {Field::vendor, "Parallels", "parallels", false},
    {Field::bios, "BHYVE", "bhyve", false},
    {Field::vendor, "OpenStack", "kvm", false},
    {Field::product, "OpenStack", "kvm", false},
    {Field::product, "KVM", "kvm", false},
    {Field::product, "RHEV", "kvm", false},
    {Field::product, "oVirt", "kvm", false},
    {Field::vendor, "DigitalOcean", "kvm", false},
    {Field::product, "vServer", "kvm", false},  // Hetzner Cloud
    {Field::vendor, "QEMU", "qemu", false},
    {Field::bios, "SeaBIOS", "qemu", true},
    {Field::bios, "Bochs", "qemu", false},
}};

Firmware read_firmware(const SystemRoot& root) {
  const std::string directory = "/sys/class/dmi/id/";
  return {root.read_trimmed(directory + "sys_vendor").value_or(""),
          root.read_trimmed(directory + "product_name").value_or(""),
          root.read_trimmed(directory + "bios_vendor").value_or("")};
}

bool matches(const Signature& signature, const Firmware& firmware) {
  const std::string& text = signature.field == Field::vendor    ? firmware.vendor
                            : signature.field == Field::product ? firmware.product
                                                                : firmware.bios;
  if (signature.name == "microsoft" && !contains(firmware.vendor, "Microsoft")) return false;
  return contains(text, signature.contains);
}

const Signature* signature_of(const Firmware& firmware) {
  const auto* found = std::find_if(kSignatures.begin(), kSignatures.end(),
                                   [&](const Signature& signature) { return matches(signature, firmware); });
  return found == kSignatures.end() ? nullptr : found;
}

bool is_xen_guest(const SystemRoot& root) {
  const bool xen = root.read_trimmed("/sys/hypervisor/type") == "xen" || root.exists("/proc/xen");
  // Domain 0 controls the hardware itself; its capabilities name "control_d".
  return xen && !contains(root.read_text("/proc/xen/capabilities").value_or(""), "control_d");
}

/// Hypervisors offer a clock of their own to the guest, also where the firmware tells nothing.
std::optional<std::string> hypervisor_by_clock(const SystemRoot& root) {
  const std::string clocks =
      root.read_text("/sys/devices/system/clocksource/clocksource0/available_clocksource").value_or("");
  if (contains(clocks, "kvm-clock")) return "kvm";
  if (contains(clocks, "hyperv_clocksource")) return "microsoft";
  if (contains(clocks, "xen")) return "xen";
  return std::nullopt;
}

std::optional<std::string> hypervisor_by_device_tree(const SystemRoot& root) {
  const std::string compatible = root.read_text("/proc/device-tree/hypervisor/compatible").value_or("");
  if (contains(compatible, "linux,kvm")) return "kvm";
  if (contains(compatible, "xen")) return "xen";
  if (contains(compatible, "vmware")) return "vmware";
  return std::nullopt;
}

Finding under_a_hypervisor(const SystemRoot& root, const Signature* signature) {
  const auto clock = hypervisor_by_clock(root);
  // "QEMU" is also the firmware of KVM machines; their clock tells the two apart.
  if (signature != nullptr && !(signature->name == "qemu" && clock)) return found(std::string(signature->name));
  return found(clock.value_or("unknown-hypervisor"));
}

/// ARM processors have no hypervisor flag: only the firmware can tell.
Finding without_flags(const SystemRoot& root, const Firmware& firmware, const Signature* signature) {
  if (const auto by_tree = hypervisor_by_device_tree(root)) return found(*by_tree);
  if (signature == nullptr) {
    if (const auto clock = hypervisor_by_clock(root)) return found(*clock);
    return not_found(firmware.silent() ? "neither processor flags nor firmware strings are readable"
                                       : "this processor has no hypervisor flag and the firmware names no hypervisor");
  }
  if (!signature->also_on_metal) return under_a_hypervisor(root, signature);
  if (signature->name == "amazon" && contains(firmware.product, ".metal")) return found("none");
  return found(std::string(signature->name));
}

}  // namespace

Finding detect_virtualization(const SystemRoot& root, const CpuInfo& info) {
  if (is_wsl(root)) return found("wsl");
  if (is_xen_guest(root)) return found("xen");
  const Firmware firmware = read_firmware(root);
  const Signature* const signature = signature_of(firmware);
  if (info.hypervisor_flag) return under_a_hypervisor(root, signature);
  if (!info.lists_flags) return without_flags(root, firmware, signature);
  if (signature != nullptr && !signature->also_on_metal) return under_a_hypervisor(root, signature);
  return found("none");
}

}  // namespace gpuassay
