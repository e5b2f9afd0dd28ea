// What probe must say about each machine recorded below tests/support/machines.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace gpuassay::test {

/// Every field as probe must report it; an absent one must be explained.
struct RecordedMachine {
  std::string machine;
  std::optional<std::string> cpu_model;
  std::optional<int> logical_cpus;
  std::optional<double> effective_cpus;
  std::optional<std::int64_t> memory_bytes;
  std::optional<std::string> os, kernel, virtualization, container;
  std::vector<int> allowed_cpus;
  int threads = 1;
  bool avx2 = false, avx512 = false, bf16 = false, vnni = false;
  std::int64_t l1d_bytes = 0, l2_bytes = 0, l3_bytes = 0;
  std::optional<double> uptime_s;
};

/// Root directory of a recorded machine.
std::filesystem::path machine_path(const std::string& name);

const std::vector<RecordedMachine>& recorded_machines();

}  // namespace gpuassay::test
