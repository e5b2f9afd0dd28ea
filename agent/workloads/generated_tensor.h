// What does a device tensor contain that was filled by the rule of kernels/random_normal.h? Every element is known
// without reading it back, so a reference can be computed for operands of any size.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/random_normal.h"

namespace gpuassay {

/// Where the elements of [outer][rows][columns] lie in memory: as written, or with the two inner dimensions swapped
/// (a transposed matrix; NHWC seen as [n][c][h*w]).
struct InnerLayout {
  std::int64_t rows = 1, columns = 1;
  bool swapped = false;

  /// Place in memory of the element at `position` of the logical order.
  [[nodiscard]] constexpr std::int64_t storage_index(std::int64_t position) const {
    if (!swapped) return position;
    const std::int64_t column = position % columns;
    const std::int64_t above = position / columns;
    return (above / rows * columns + column) * rows + above % rows;
  }
};

/// Filled with element_bits(format, seed, storage index).
struct GeneratedTensor {
  kernels::ElementFormat format = kernels::ElementFormat::fp32;
  std::uint64_t seed = 0;
  InnerLayout layout;

  /// Exact value at a flat position of the logical order.
  double operator[](std::size_t position) const {
    return kernels::element_value(
        format, seed, static_cast<std::uint64_t>(layout.storage_index(static_cast<std::int64_t>(position))));
  }
};

}  // namespace gpuassay
