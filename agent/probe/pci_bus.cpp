#include "agent/probe/pci_bus.h"

#include <string_view>

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

}  // namespace gpuassay
