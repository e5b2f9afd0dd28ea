#include "agent/workloads/random_inputs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

namespace gpuassay {
namespace {

constexpr std::uint64_t kPoolSeed = 0x67707561737361ULL;
constexpr double kSqrtTwo = 1.4142135623730950488;
constexpr double kInverseSqrtTwoPi = 0.39894228040143267794;

/// Edges of equally probable cells; sampling picks a cell by 12 bits and a place in it by 20.
constexpr std::size_t kCells = 4096;
using QuantileEdges = std::array<float, kCells + 1>;

std::unique_ptr<QuantileEdges> quantile_edges() {
  auto edges = std::make_unique<QuantileEdges>();
  for (std::size_t i = 1; i < kCells; ++i) {
    (*edges)[i] = static_cast<float>(normal_quantile(static_cast<double>(i) / static_cast<double>(kCells)));
  }
  // The outermost cells are unbounded; five standard deviations is the edge a real sample of this size reaches.
  (*edges)[0] = -5.0F;
  (*edges)[kCells] = 5.0F;
  return edges;
}

float sample(const QuantileEdges& edges, std::uint32_t bits) {
  const std::size_t cell = bits >> 20;
  const float place = static_cast<float>(bits & 0xfffffU) * 0x1p-20F;
  return edges[cell] + (edges[cell + 1] - edges[cell]) * place;
}

}  // namespace

double normal_quantile(double p) {
  if (p > 0.5) return -normal_quantile(1 - p);
  // Start from the tail's leading term, then Newton on the distribution function; convex there, so it converges.
  double x = p < 0.1 ? -std::sqrt(-2 * std::log(p)) : 0.0;
  for (int step = 0; step < 60; ++step) {
    const double density = kInverseSqrtTwoPi * std::exp(-0.5 * x * x);
    const double change = (0.5 * std::erfc(-x / kSqrtTwo) - p) / density;
    x -= std::clamp(change, -1.0, 1.0);
    if (std::fabs(change) < 1e-12) break;
  }
  return x;
}

RandomInputs::RandomInputs(ParallelFor parallel_for, std::size_t count)
    : parallel_for_(std::move(parallel_for)), pool_(count) {
  const auto edges = quantile_edges();
  parallel_for_(count / 2, [&](std::size_t begin, std::size_t end) {
    for (std::size_t pair = begin; pair < end; ++pair) {
      const std::uint64_t bits = random_bits(kPoolSeed, pair);
      pool_[2 * pair] = sample(*edges, static_cast<std::uint32_t>(bits));
      pool_[2 * pair + 1] = sample(*edges, static_cast<std::uint32_t>(bits >> 32));
    }
  });
}

template <class T, class Convert>
void RandomInputs::fill(std::span<T> target, std::uint64_t stream, Convert convert) const {
  const std::size_t mask = pool_.size() - 1;
  const std::size_t offset = static_cast<std::size_t>(random_bits(kPoolSeed ^ stream, 0)) & mask;
  parallel_for_(target.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end;) {
      const std::size_t from = (offset + i) & mask;
      const std::size_t length = std::min(end - i, pool_.size() - from);
      std::transform(pool_.data() + from, pool_.data() + from + length, target.data() + i, convert);
      i += length;
    }
  });
}

void RandomInputs::fill_f32(std::span<float> target, std::uint64_t stream) const {
  fill(target, stream, [](float x) { return x; });
}

void RandomInputs::fill_bf16(std::span<Bfloat16> target, std::uint64_t stream) const {
  fill(target, stream, [](float x) { return bfloat16_from(x); });
}

void RandomInputs::fill_u8(std::span<std::uint8_t> target, std::uint64_t stream) const {
  // Adding a half and truncating rounds; every value is positive after the clip.
  fill(target, stream,
       [](float x) { return static_cast<std::uint8_t>(std::min(std::max(x * 32.0F + 64.5F, 0.0F), 127.0F)); });
}

void RandomInputs::fill_s8(std::span<std::int8_t> target, std::uint64_t stream) const {
  fill(target, stream, [](float x) {
    const float scaled = std::min(std::max(x * 24.0F, -64.0F), 64.0F);
    return static_cast<std::int8_t>(static_cast<int>(scaled + 64.5F) - 64);
  });
}

}  // namespace gpuassay
