// Which GPUs does a cloud's machine type hold? From the reviewed table core/data/machine_sizes.csv. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/money.h"

namespace gpuassay {

struct MachineSize {
  std::string gpu_model;  ///< canonical
  std::optional<std::string> gpu_variant;
  Micros gpu_count = 0;                  ///< 0 where the table knows the family only and the source says the count
  std::optional<Micros> gpu_memory_gib;  ///< of one device
  std::optional<Micros> vcpus, memory_gib;
};

/// The row of `instance_type` (compared as instance_key() does), else the row of its family: what stands before the
/// first '.' ("p5" of "p5.48xlarge"). Null when the table has neither. Lives as long as the program.
const MachineSize* find_machine_size(std::string_view provider, std::string_view instance_type);

}  // namespace gpuassay
