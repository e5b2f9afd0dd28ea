#include "agent/probe/device_nodes.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string_view>
#include <system_error>

#include "agent/file_descriptor.h"

namespace gpuassay {
namespace {

/// nvidia0 to nvidia999, nvidiactl, nvidia-uvm, dxg; not the folders nvidia-caps and nvidia-fs, nor nvidia-modeset.
bool is_node_name(std::string_view name) {
  constexpr std::string_view kPrefix = "nvidia";
  if (name == "nvidiactl" || name == "nvidia-uvm" || name == "dxg") return true;
  if (name.size() <= kPrefix.size() || name.substr(0, kPrefix.size()) != kPrefix) return false;
  return name.find_first_not_of("0123456789", kPrefix.size()) == std::string_view::npos;
}

/// errno of the attempt; empty when it succeeded.
std::optional<int> why_unusable(const std::string& path, NodeTest test) {
  if (test == NodeTest::permissions) {
    return ::access(path.c_str(), R_OK | W_OK) == 0 ? std::nullopt : std::optional(errno);
  }
  const FileDescriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  return file.get() >= 0 ? std::nullopt : std::optional(errno);
}

}  // namespace

DeviceNodes look_at_device_nodes(const SystemRoot& root, NodeTest test) {
  DeviceNodes nodes;
  for (const std::string& name : root.list_directory("/dev")) {
    if (!is_node_name(name)) continue;
    const std::string node = "/dev/" + name;
    const auto path = root.host_path(node);
    if (!path) continue;
    nodes.found.push_back(node);
    if (const auto error = why_unusable(*path, test)) {
      nodes.unusable.push_back(node + ": " + std::generic_category().message(*error));
    }
  }
  return nodes;
}

}  // namespace gpuassay
