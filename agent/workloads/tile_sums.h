// What must a launch of many passes over a small array have summed up? kernels/read_reference.h with a memory: a
// block's share of the array is added up once, not once per pass.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>

namespace gpuassay {

/// Sums of 64-bit words, modulo 2^64, as the blocks of gpuassay_read and gpuassay_gather write them.
class TileSums {
 public:
  using WordAt = std::function<std::uint64_t(std::uint64_t index)>;

  /// `words` 64-bit words (an even number), word_at tells each; read by `grid` blocks.
  TileSums(std::int64_t words, std::int64_t grid, WordAt word_at)
      : words_(words), grid_(grid), word_at_(std::move(word_at)) {}

  /// What block `block` writes after `passes` passes.
  std::uint64_t block_sum(std::int64_t block, std::int64_t passes);

 private:
  /// One pass in the role of block `as_block`.
  std::uint64_t share_sum(std::int64_t as_block);

  std::int64_t words_, grid_;
  WordAt word_at_;
  std::unordered_map<std::int64_t, std::uint64_t> shares_;
};

}  // namespace gpuassay
