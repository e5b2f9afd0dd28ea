// What is this machine, and how much of it is ours? Reads system files; measures nothing and loads no library.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "agent/system_root.h"
#include "core/model.h"

namespace gpuassay {

/// `affinity`: CPU ids this process may run on. When absent, /proc/self/status below the root counts.
struct ProbeInputs {
  SystemRoot root;
  std::optional<std::vector<int>> affinity;
};

/// Inputs for probing below `root`; the affinity is the calling thread's when `root` is really "/", so call it
/// before pinning any thread.
ProbeInputs probe_inputs(const std::filesystem::path& root = "/");

/// Host, CPU facts and one device of kind `cpu`; libraries empty, provider "unknown". Strings are fit to be
/// published (no control characters, valid UTF-8, at most 200 bytes). Every absent fact of host, devices and
/// platform has an entry in `unknown`. Whatever the files contain, nothing is thrown but std::bad_alloc.
/// `uptime_s` is absent when /proc/uptime is not readable.
Inventory probe(const ProbeInputs& inputs);

}  // namespace gpuassay
