// What do the kernels that add up memory write? Sums of 64-bit words over tiles, computed when they are looked at.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "tests/support/fake_gpu/recipe.h"

namespace gpuassay::fake {

/// block_sums of gpuassay_read and gpuassay_gather: see kernels/arguments.h.
class BlockSums final : public ElementRecipe {
 public:
  /// Sum of the words from byte `begin` to byte `end` of the array.
  using RangeSum = std::function<std::uint64_t(std::uint64_t begin, std::uint64_t end)>;
  BlockSums(RangeSum sum, std::uint64_t size_bytes, unsigned grid, unsigned passes);
  [[nodiscard]] std::uint64_t element(std::uint64_t block) const override;

 private:
  [[nodiscard]] std::uint64_t sum_of_tiles(std::uint64_t first) const;

  RangeSum sum_;
  std::uint64_t size_bytes_;
  unsigned grid_, passes_;
  mutable std::vector<std::optional<std::uint64_t>> known_;  ///< by number of the first tile
};

/// Sum of the 64-bit words between two byte offsets of a view.
std::uint64_t sum_of_words(const View& view, std::uint64_t begin, std::uint64_t end);

}  // namespace gpuassay::fake
