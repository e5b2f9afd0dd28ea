#include "agent/floor/floor_chain.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/floor/check.h"

namespace gpuassay {

FloorChain::FloorChain(FloorDevice& device, const FloorWork& work, const FloorSeed& seed)
    : device_(device), work_(work), seed_(seed) {
  device_.begin(seed);
}

void FloorChain::run(const std::function<bool()>& goes_on) {
  do {
    const Digest before = digests_.empty() ? Digest{} : digests_.back();
    digests_.push_back(device_.run_step(static_cast<std::uint32_t>(digests_.size()), before));
  } while (goes_on());
}

std::vector<Digest> FloorChain::step_leaves() const {
  std::vector<Digest> leaves;
  leaves.reserve(digests_.size());
  for (const Digest& digest : digests_) leaves.push_back(floor_step_leaf(digest));
  return leaves;
}

FloorCommitment::OfDevice FloorChain::commitment() const {
  return {work_.device, static_cast<std::uint32_t>(digests_.size()), merkle_root(step_leaves())};
}

FloorOpening FloorChain::open(const FloorDraw& draw) const {
  if (draw.step >= digests_.size() || draw.tile < 0 || draw.tile >= floor_tiles(work_.shape))
    throw Error(ErrorCode::unreadable_input,
                fmt::format("tile {} of step {} was drawn, and there is none", draw.tile, draw.step));
  const std::vector<Digest> leaves = step_leaves();
  FloorOpening opening;
  if (draw.step > 0) {
    opening.before = digests_[draw.step - 1];
    opening.before_path = merkle_inclusion_path(leaves, draw.step - 1);
  }
  opening.after = digests_[draw.step];
  opening.after_path = merkle_inclusion_path(leaves, draw.step);
  opening.tile_path = device_.tile_path(draw.step, opening.before, draw.tile);
  return opening;
}

std::optional<std::string> FloorChain::self_check() const {
  const auto last = static_cast<std::uint32_t>(digests_.size() - 1);
  const std::int64_t tiles = floor_tiles(work_.shape);
  const FloorCommitment::OfDevice committed = commitment();
  // The last one first: the device may still have it.
  for (const std::uint32_t step : {last, std::uint32_t{0}}) {
    for (const std::int64_t tile : {std::int64_t{0}, tiles / 2, tiles - 1}) {
      const FloorDraw draw{work_.device, step, tile};
      if (auto problem = opening_problem(seed_, work_.shape, committed, draw, open(draw))) return problem;
    }
  }
  return std::nullopt;
}

}  // namespace gpuassay
