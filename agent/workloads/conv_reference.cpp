#include "agent/workloads/conv_reference.h"

#include <algorithm>
#include <set>

#include "agent/workloads/random_inputs.h"

namespace gpuassay {
namespace {

/// `count` different numbers below `total`, the first and the last among them; all when there are no more.
std::vector<std::int64_t> spread(std::int64_t total, std::int64_t count, std::uint64_t seed) {
  std::set<std::int64_t> chosen{0, total - 1};
  const std::int64_t wanted = std::min(total, count);
  for (std::uint64_t draw = 0; std::ssize(chosen) < wanted; ++draw) {
    chosen.insert(static_cast<std::int64_t>(random_bits(seed, draw) % static_cast<std::uint64_t>(total)));
  }
  return {chosen.begin(), chosen.end()};
}

}  // namespace

ConvSizes conv_sizes(const ConvParams& v) {
  return {v.n * v.c * v.h * v.w, v.k * v.c * v.r * v.s, v.n * v.k * v.p() * v.q()};
}

std::int64_t conv_output_size(const ConvParams& params) {
  const ConvSizes sizes = conv_sizes(params);
  switch (params.direction) {
    case ConvDirection::forward: return sizes.destination;
    case ConvDirection::backward_data: return sizes.source;
    case ConvDirection::backward_weights: return sizes.weights;
  }
  return 0;
}

std::int64_t conv_terms(const ConvParams& v) {
  switch (v.direction) {
    case ConvDirection::forward: return v.c * v.r * v.s;
    case ConvDirection::backward_data: return v.k * v.r * v.s;
    case ConvDirection::backward_weights: return v.n * v.p() * v.q();
  }
  return 0;
}

std::vector<std::int64_t> conv_border_positions(const ConvParams& v) {
  std::int64_t rows = v.p(), columns = v.q();
  if (v.direction == ConvDirection::backward_data) rows = v.h, columns = v.w;
  if (v.direction == ConvDirection::backward_weights) rows = v.r, columns = v.s;
  std::vector<std::int64_t> positions;
  const std::int64_t plane = rows * columns;
  for (const std::int64_t first : {std::int64_t{0}, conv_output_size(v) - plane}) {
    positions.insert(positions.end(), {first, first + columns - 1, first + plane - columns, first + plane - 1});
  }
  return positions;
}

std::vector<std::int64_t> conv_weight_positions(const ConvParams& v) {
  constexpr std::int64_t kPlanes = 8;
  const std::int64_t taps = v.r * v.s;
  const std::vector<std::int64_t> filters = spread(v.k, kPlanes, 1), channels = spread(v.c, kPlanes, 2);
  const std::int64_t pairs = std::ssize(filters) * std::ssize(channels);
  const std::int64_t taps_per_pair = (kSampledPositions + pairs - 1) / pairs;
  std::vector<std::int64_t> positions;
  for (const std::int64_t k : filters) {
    for (const std::int64_t c : channels) {
      const std::int64_t pair = k * v.c + c;
      for (const std::int64_t tap : spread(taps, taps_per_pair, static_cast<std::uint64_t>(pair) + 3)) {
        positions.push_back(pair * taps + tap);
      }
    }
  }
  return positions;
}

}  // namespace gpuassay
