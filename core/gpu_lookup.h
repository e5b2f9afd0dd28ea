// Which row of the table of GPUs does a person mean? By the row's name, the driver's, or one that price lists use.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/gpu_specs.h"

namespace gpuassay {

/// One device of the table: never the row of a whole board.
struct FoundGpu {
  const GpuSpec* spec = nullptr;  ///< into gpu_specs()
  std::string of_board;           ///< the row of the board that was asked for, of which this is one device; else empty
};

/// Case and repeated spaces do not count. Throws Error{usage}, one line, for a name that nobody knows (with the nearest
/// ones), that several rows share (with their names), or that means a part of a GPU (MIG, vGPU).
FoundGpu find_gpu_by_name(std::string_view name);

/// Names of the `count` rows that are the fewest insertions, deletions and replacements away, by any of their names;
/// the nearest first, equal ones in the order of the table.
std::vector<std::string> nearest_gpu_names(std::string_view name, std::size_t count);

}  // namespace gpuassay
