// Does this machine run under a hypervisor, and which?
#pragma once

#include "agent/probe/cpu_info.h"
#include "agent/probe/finding.h"
#include "agent/system_root.h"

namespace gpuassay {

/// "none" (bare metal), "kvm", "qemu" (emulation, or KVM that hides itself), "xen", "vmware", "virtualbox",
/// "parallels", "bhyve", "microsoft", "amazon" (Nitro), "google", "wsl", or "unknown-hypervisor" when there is one
/// that does not say its name. Sources: the hypervisor flag of cpuinfo, kernel release, /sys/hypervisor, firmware
/// (DMI) strings, device tree and clock sources. Never "none" without evidence: without it the value is absent.
Finding detect_virtualization(const SystemRoot& root, const CpuInfo& info);

}  // namespace gpuassay
