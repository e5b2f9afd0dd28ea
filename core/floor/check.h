// Is this opening what the commitment promised, and does the work prove a speed? What the collector decides by, and the
// agent checks itself with before it commits. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "core/floor/messages.h"
#include "core/floor/tiles.h"

namespace gpuassay {

/// The digest of a step as a leaf of the commitment.
Digest floor_step_leaf(const Digest& digest);

/// Why the opening does not show that the drawn tile was computed: a path that does not lead to the commitment, or a
/// tile that is another. Empty: it does. `draw` lies within the commitment and the shape.
std::optional<std::string> opening_problem(const FloorSeed& seed, const FloorShape& shape,
                                           const FloorCommitment::OfDevice& committed, const FloorDraw& draw,
                                           const FloorOpening& opening);

/// With 95 % confidence at least this share of all tiles was computed when `draws` tiles, drawn at random and
/// independently, were all right: whoever computed less passes with a probability of at most 0.05 = share^draws.
double proven_share(std::size_t draws);

/// Tiles to draw from each of `devices` that do steps of depth k (the largest): 64, or as many as one core recomputes
/// within a second for all devices together (docs/measured/verified_run.md).
std::size_t draws_of_device(std::size_t devices, std::int64_t k);

/// Whether four tiles of each device can be checked in that time; fewer would prove next to nothing.
bool can_be_checked(std::size_t devices, std::int64_t k);

/// TFLOP/s that `steps` in `interval_ns` prove.
double floor_tflop_per_s(const FloorShape& shape, std::uint32_t steps, std::int64_t interval_ns, std::size_t draws);

}  // namespace gpuassay
