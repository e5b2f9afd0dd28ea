#include "agent/probe/container.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/probe/host_facts.h"
#include "agent/probe/mountinfo.h"
#include "agent/probe/text_fields.h"
#include "core/ascii.h"

namespace gpuassay {
namespace {

/// Text that identifies a runtime, and its name in the result. Of several the innermost counts, so the order is
/// from the most specific to the most general: Kubernetes runs containerd, which may have been set up by Docker.
struct Pattern {
  std::string_view text;
  std::string_view kind;
};

// A component of a cgroup path starts with one of these. Services of the runtimes themselves
// (/system.slice/docker.service) do not.
constexpr std::array<Pattern, 8> kCgroupComponents{{{"kubepods", "kubernetes"},
                                                    {"libpod-", "podman"},
                                                    {"libpod_parent", "podman"},
                                                    {"cri-containerd-", "containerd"},
                                                    {"nerdctl-", "containerd"},
                                                    {"docker-", "docker"},
                                                    {"lxc.payload", "lxc"},
                                                    {"systemd-nspawn@", "systemd-nspawn"}}};

// Directories of a runtime from which it mounts the root or the name-service files of a container.
constexpr std::array<Pattern, 9> kMountSources{{{"/var/lib/kubelet/pods/", "kubernetes"},
                                                {"/kubelet/pods/", "kubernetes"},
                                                {"/io.containerd.grpc.v1.cri/", "kubernetes"},
                                                {"/containers/storage/", "podman"},
                                                {"/containers/overlay-containers/", "podman"},
                                                {"/docker/containers/", "docker"},
                                                {"/docker/overlay2/", "docker"},
                                                {"/io.containerd.", "containerd"},
                                                {"/lxc/", "lxc"}}};

constexpr std::array<Pattern, 8> kDeclaredKinds{{{"docker", "docker"},
                                                 {"podman", "podman"},
                                                 {"lxc", "lxc"},
                                                 {"lxc-libvirt", "lxc"},
                                                 {"systemd-nspawn", "systemd-nspawn"},
                                                 {"kube", "kubernetes"},
                                                 {"wsl", "wsl"},
                                                 {"containerd", "containerd"}}};

bool starts_with(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }
std::optional<std::string> kind_in_path(std::string_view path) {
  const std::vector<std::string_view> components = split(path, '/');
  for (const Pattern& pattern : kCgroupComponents) {
    for (const std::string_view component : components) {
      if (!starts_with(component, pattern.text)) continue;
      // Sockets and services share the prefix of scopes: "docker-volume.service" contains no process of ours.
      if (component.size() > 8 && component.substr(component.size() - 8) == ".service" &&
          pattern.kind != "systemd-nspawn") {
        continue;
      }
      return std::string(pattern.kind);
    }
  }
  // cgroupfs driver: /docker/<id>, /lxc/<name>. The bare directory alone would be the runtime itself.
  for (std::size_t i = 0; i + 1 < components.size(); ++i) {
    if (components[i] == "docker" && components[i + 1].size() >= 12) return "docker";
    if (components[i] == "lxc" && !components[i + 1].empty()) return "lxc";
  }
  return std::nullopt;
}

std::optional<std::string> kind_by_cgroup(const std::optional<std::string>& cgroup) {
  if (!cgroup) return std::nullopt;
  for (const std::string_view line : split(*cgroup, '\n')) {
    const auto rest = split_key_value(line, ':');
    const auto path = rest ? split_key_value(rest->second, ':') : std::nullopt;
    if (!path) continue;
    if (auto kind = kind_in_path(path->second)) return kind;
  }
  return std::nullopt;
}

/// Only the mounts that make up this process's own world: a host lists the roots of all its containers too.
bool belongs_to_own_root(const Mount& mount) {
  return mount.mount_point == "/" || mount.mount_point == "/etc/hosts" || mount.mount_point == "/etc/hostname" ||
         mount.mount_point == "/etc/resolv.conf";
}

std::optional<std::string> kind_by_mounts(const std::vector<Mount>& mounts) {
  for (const Pattern& pattern : kMountSources) {
    for (const Mount& mount : mounts) {
      if (!belongs_to_own_root(mount)) continue;
      const bool is_overlay = mount.fs_type == "overlay";
      if (contains(mount.root, pattern.text) || (is_overlay && contains(mount.super_options, pattern.text))) {
        return std::string(pattern.kind);
      }
    }
  }
  return std::nullopt;
}

std::string kind_of_declared(std::string_view declared) {
  const auto* pattern = std::find_if(kDeclaredKinds.begin(), kDeclaredKinds.end(),
                                     [&](const Pattern& candidate) { return candidate.text == declared; });
  return std::string(pattern == kDeclaredKinds.end() ? "unknown" : pattern->kind);
}

/// `container=...` in the environment of process 1, readable by root only; nothing else of it is looked at.
std::optional<std::string> kind_by_process_1(const SystemRoot& root) {
  const std::string environment = root.read_text("/proc/1/environ").value_or("");
  constexpr std::string_view kName = "container=";
  for (const std::string_view variable : split(environment, '\0')) {
    if (starts_with(variable, kName) && variable.size() > kName.size()) {
      return kind_of_declared(trim(variable.substr(kName.size())));
    }
  }
  return std::nullopt;
}

std::optional<std::string> kind_by_marker(const SystemRoot& root) {
  if (root.exists("/run/secrets/kubernetes.io") || root.exists("/var/run/secrets/kubernetes.io")) return "kubernetes";
  if (root.exists("/run/.containerenv")) return "podman";
  if (root.exists("/.dockerenv")) return "docker";
  if (root.exists("/dev/.lxc")) return "lxc";
  if (const auto declared = root.read_trimmed("/run/systemd/container")) return kind_of_declared(*declared);
  return std::nullopt;
}

/// Kubernetes if anything says so: inside a pod the cgroup or a marker may show only the runtime it uses.
/// Otherwise the first that names a kind; "unknown" only if nothing better is there.
std::optional<std::string> most_telling(const std::vector<std::optional<std::string>>& kinds) {
  std::optional<std::string> best;
  for (const auto& kind : kinds) {
    if (kind == "kubernetes") return kind;
    if (kind && (!best || *best == "unknown")) best = kind;
  }
  return best;
}

}  // namespace

Finding detect_container(const SystemRoot& root) {
  const auto cgroup = root.read_text("/proc/self/cgroup");
  const std::vector<Mount> mounts = parse_mountinfo(root.read_text("/proc/self/mountinfo").value_or(""));
  const auto kind =
      most_telling({kind_by_cgroup(cgroup), kind_by_marker(root), kind_by_mounts(mounts), kind_by_process_1(root)});
  if (kind) return found(*kind);
  if (is_wsl(root)) return found("wsl");
  if (!cgroup && mounts.empty()) return not_found("neither /proc/self/cgroup nor /proc/self/mountinfo is readable");
  const bool overlay_root = std::any_of(mounts.begin(), mounts.end(), [](const Mount& mount) {
    return mount.mount_point == "/" && mount.fs_type == "overlay";
  });
  if (overlay_root) {
    return not_found("the root file system is an overlay, as in a container, but nothing names the runtime");
  }
  return found("none");
}

}  // namespace gpuassay
