#include "agent/workloads/gemm_reference.h"

namespace gpuassay {

std::vector<std::int64_t> gemm_corner_positions(const GemmParams& g) {
  std::vector<std::int64_t> corners;
  for (const std::int64_t batch : {std::int64_t{0}, g.batch - 1}) {
    const std::int64_t first = batch * g.m * g.n;
    corners.insert(corners.end(), {first, first + g.n - 1, first + (g.m - 1) * g.n, first + g.m * g.n - 1});
  }
  return corners;
}

}  // namespace gpuassay
