#include "agent/probe/pci_bus.h"

#include <algorithm>

#include "agent/probe/text_fields.h"
#include "core/ascii.h"

namespace gpuassay {
namespace {

constexpr std::string_view kDevices = "/sys/bus/pci/devices";

/// Class codes 0x0300xx (VGA controller) and 0x0302xx (3D controller); the audio function of a card is 0x0403.
bool is_display_class(std::string_view pci_class) {
  return pci_class.substr(0, 6) == "0x0300" || pci_class.substr(0, 6) == "0x0302";
}

/// "0x1db6" as "1db6"; anything else as "????".
std::string device_id(std::string_view text) {
  const std::string_view digits = text.substr(0, 2) == "0x" ? text.substr(2) : std::string_view{};
  const bool hexadecimal = digits.size() == 4 && digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return std::string(hexadecimal ? digits : "????");
}

}  // namespace

std::vector<std::string> nvidia_pci_devices(const SystemRoot& root) {
  std::vector<std::string> ids;
  for (const std::string& name : root.list_directory(kDevices)) {
    const std::string directory = std::string(kDevices) + "/" + name;
    if (root.read_trimmed(directory + "/vendor") != "0x10de") continue;
    if (!is_display_class(root.read_trimmed(directory + "/class").value_or(""))) continue;
    ids.push_back("10de:" + device_id(root.read_trimmed(directory + "/device").value_or("")));
  }
  return ids;
}

bool nvidia_gpu_on_pci_bus(const SystemRoot& root) { return !nvidia_pci_devices(root).empty(); }

std::optional<std::string> pci_address(std::string_view written) {
  constexpr std::size_t kDomain = 4, kLongDomain = 8;
  constexpr std::string_view kForm = ":xx:xx.x";
  const std::size_t domain = written.find(':');
  if (domain < kDomain || domain > kLongDomain || written.size() != domain + kForm.size()) return std::nullopt;
  std::string address = lower_case(written);
  for (std::size_t i = 0; i < address.size(); ++i) {
    const char form = i < domain ? 'x' : kForm[i - domain];
    const bool digit = std::string_view("0123456789abcdef").find(address[i]) != std::string_view::npos;
    if (form == 'x' ? !digit : address[i] != form) return std::nullopt;
  }
  // The kernel writes a domain with four digits, or as many as it needs.
  address.erase(0, std::min(address.find_first_not_of('0'), domain - kDomain));
  return address;
}

NumaFinding numa_node_of(const SystemRoot& root, std::string_view pci_bus_id) {
  const auto address = pci_address(pci_bus_id);
  if (!address) return {std::nullopt, "the driver gives no PCI address"};
  const auto text = root.read_trimmed(std::string(kDevices) + "/" + *address + "/numa_node");
  if (!text) return {std::nullopt, "/sys/bus/pci does not tell it"};
  constexpr std::int64_t kMostNodes = 65535;
  const auto node = parse_integer(*text);
  if (!node || *node > kMostNodes) return {std::nullopt, "/sys/bus/pci has no number for it"};
  if (*node < 0) return {std::nullopt, "the kernel knows no NUMA node for this device (-1)"};
  return {static_cast<int>(*node), {}};
}

}  // namespace gpuassay
