// Measures what is around the devices: the CPUs and their memory where they are no device of their own, the data
// directory's disk, and a network target that the user named.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "agent/backends/backend.h"
#include "agent/http_client.h"
#include "core/model.h"

namespace gpuassay {

struct HostSelection {
  CpuFacts cpu;
  std::filesystem::path folder;    ///< where files are made
  std::optional<HttpCall> target;  ///< of network cases; empty: nothing is ever contacted
};

/// Operations: every bandwidth kernel of the CPU backend and arithmetic alone by kernels of our own, GEMM through
/// oneDNN where there is one, disk and network. Anything else is Error{unsupported}. Threads are bound to their CPUs
/// while an operation lives: other backends of the process are not touched.
std::unique_ptr<Backend> make_host_backend(HostSelection selection);

}  // namespace gpuassay
