// Does this process run in a container, and of which kind?
#pragma once

#include "agent/probe/finding.h"
#include "agent/system_root.h"

namespace gpuassay {

/// "none", "kubernetes", "docker", "podman", "containerd", "lxc", "systemd-nspawn", "wsl", or "unknown" for a
/// container that does not say its kind. Sources: own cgroup, the mounts a runtime makes, marker files, and the
/// `container` variable of process 1, of which nothing but the recognised kind is kept. Absent when neither
/// cgroups nor mounts are readable and no marker is there.
Finding detect_container(const SystemRoot& root);

}  // namespace gpuassay
