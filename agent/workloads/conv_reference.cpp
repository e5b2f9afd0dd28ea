#include "agent/workloads/conv_reference.h"

namespace gpuassay {

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

}  // namespace gpuassay
