#include "core/floor/check.h"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace gpuassay {
namespace {

bool is_step(const FloorCommitment::OfDevice& committed, std::uint32_t step, const Digest& digest,
             const std::vector<Digest>& path) {
  return merkle_is_included(floor_step_leaf(digest), step, committed.steps, path, committed.root);
}

constexpr double kMostDraws = 64, kLeastDraws = 4;

/// Tiles of each device that a core works out again in nine tenths of a second; measured on one of an EPYC 9004.
double affordable_draws(std::size_t devices, std::int64_t k) {
  constexpr double kIntegerNs = 0.74, kProductNs = 0.134, kBudgetNs = 0.9e9;
  constexpr double kTileNs = 2 * kTileSide * kIntegerNs + kTileElements * kProductNs;
  return kBudgetNs / (kTileNs * static_cast<double>(k) * static_cast<double>(devices));
}

}  // namespace

Digest floor_step_leaf(const Digest& digest) {
  return merkle_leaf_hash({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::optional<std::string> opening_problem(const FloorSeed& seed, const FloorShape& shape,
                                           const FloorCommitment::OfDevice& committed, const FloorDraw& draw,
                                           const FloorOpening& opening) {
  if (!is_step(committed, draw.step, opening.after, opening.after_path))
    return "the digest of the step is not in the commitment";
  const bool is_first = draw.step == 0;
  const bool fits_before = is_first ? opening.before == Digest{} && opening.before_path.empty()
                                    : is_step(committed, draw.step - 1, opening.before, opening.before_path);
  if (!fits_before) return "the digest of the step before is not in the commitment";
  const Tile tile = recompute_tile(shape, {seed, draw.device, draw.step, opening.before}, draw.tile);
  if (!merkle_is_included(tile_hash(tile), static_cast<std::uint64_t>(draw.tile),
                          static_cast<std::uint64_t>(floor_tiles(shape)), opening.tile_path, opening.after))
    return "the tile is not the product of these matrices, or not in the step";
  return std::nullopt;
}

double proven_share(std::size_t draws) {
  constexpr double kDoubt = 0.05;
  return std::pow(kDoubt, 1.0 / static_cast<double>(draws));
}

std::size_t draws_of_device(std::size_t devices, std::int64_t k) {
  return static_cast<std::size_t>(std::clamp(affordable_draws(devices, k), kLeastDraws, kMostDraws));
}

bool can_be_checked(std::size_t devices, std::int64_t k) { return affordable_draws(devices, k) >= kLeastDraws; }

double floor_tflop_per_s(const FloorShape& shape, std::uint32_t steps, std::int64_t interval_ns, std::size_t draws) {
  constexpr double kFlopPerNsToTflopPerS = 1e-3;
  return proven_share(draws) * steps * floor_flop(shape) / static_cast<double>(interval_ns) * kFlopPerNsToTflopPerS;
}

}  // namespace gpuassay
