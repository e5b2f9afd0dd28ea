// What do the operands contain? Random normal numbers (mean 0, standard deviation 1), the same in every run.
// Constant or zero operands draw less power and make some devices faster than real work does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "agent/workloads/bfloat16.h"

namespace gpuassay {

/// SplitMix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014): the `index`-th number of stream `seed`, at once.
constexpr std::uint64_t random_bits(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

/// Runs body(begin, end) over parts of [0, count), possibly on several threads.
using ParallelFor = std::function<void(std::size_t count, const std::function<void(std::size_t, std::size_t)>& body)>;

/// One pool of normal numbers, made once; tensors are windows of it at distinct offsets, so that preparing many
/// layers costs a copy each and no random-number generation.
class RandomInputs {
 public:
  /// 2^24 numbers (64 MiB): longer than most tensors, short enough to make in well under 0.1 s.
  static constexpr std::size_t kDefaultCount = std::size_t{1} << 24;

  /// `count` must be a power of two. The parallel loop is kept and used by the fill functions.
  explicit RandomInputs(ParallelFor parallel_for, std::size_t count = kDefaultCount);

  /// Fills `target` with the window of tensor `stream`; windows longer than the pool repeat it.
  void fill_f32(std::span<float> target, std::uint64_t stream) const;
  /// The same numbers rounded to bfloat16.
  void fill_bf16(std::span<Bfloat16> target, std::uint64_t stream) const;
  /// Normal with standard deviation 32 about 64, rounded and clipped to 0..127: products with s8 operands stay
  /// exact on CPUs whose 8-bit instructions saturate at 16 bits (127 * 64 * 2 < 32768).
  void fill_u8(std::span<std::uint8_t> target, std::uint64_t stream) const;
  /// Normal with standard deviation 24, rounded and clipped to -64..64.
  void fill_s8(std::span<std::int8_t> target, std::uint64_t stream) const;

 private:
  template <class T, class Convert>
  void fill(std::span<T> target, std::uint64_t stream, Convert convert) const;

  ParallelFor parallel_for_;
  std::vector<float> pool_;
};

/// Quantile of the standard normal distribution, 0 < p < 1; absolute error below 1e-9.
double normal_quantile(double p);

}  // namespace gpuassay
