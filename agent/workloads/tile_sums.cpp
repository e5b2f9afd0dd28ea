#include "agent/workloads/tile_sums.h"

#include "kernels/read_reference.h"

namespace gpuassay {

std::uint64_t TileSums::block_sum(std::int64_t block, std::int64_t passes) {
  std::uint64_t sum = 0;
  for (std::int64_t pass = 0; pass < passes; ++pass) {
    const kernels::UInt64 role = kernels::read_role(
        static_cast<kernels::UInt32>(block), static_cast<kernels::UInt32>(grid_), static_cast<kernels::UInt64>(pass));
    sum += share_sum(static_cast<std::int64_t>(role));
  }
  return sum;
}

std::uint64_t TileSums::share_sum(std::int64_t as_block) {
  const auto [place, fresh] = shares_.emplace(as_block, 0);
  if (fresh) {
    place->second =
        kernels::read_block_sum([this](std::uint64_t i) { return word_at_(i); }, static_cast<std::uint64_t>(words_) * 8,
                                static_cast<kernels::UInt32>(as_block), static_cast<kernels::UInt32>(grid_), 1);
  }
  return place->second;
}

}  // namespace gpuassay
