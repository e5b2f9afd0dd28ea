// Memory, operating system, kernel and uptime of the host.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/system_root.h"

namespace gpuassay {

/// MemTotal of /proc/meminfo in bytes.
std::optional<std::int64_t> read_total_memory_bytes(const SystemRoot& root);

/// PRETTY_NAME of os-release, or NAME with VERSION; fit to be published.
std::optional<std::string> read_os_name(const SystemRoot& root);

/// Kernel release, e.g. "6.1.0-18-amd64"; fit to be published.
std::optional<std::string> read_kernel_release(const SystemRoot& root);

/// Seconds since boot (of the container where its runtime shows that instead).
std::optional<double> read_uptime_s(const SystemRoot& root);

/// Windows Subsystem for Linux: its kernels carry "microsoft" in their release, those of Azure machines do not.
bool is_wsl(const SystemRoot& root);

}  // namespace gpuassay
