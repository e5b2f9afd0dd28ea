// A device of a verified run that multiplies in plain integers, and can be told to cheat.
#pragma once

#include <functional>
#include <vector>

#include "agent/floor/floor_device.h"
#include "core/floor/tiles.h"

namespace gpuassay::test {

/// The smallest shape: 256 tiles, a fifth of a second with sanitizers.
inline constexpr FloorShape kSmallShape{256, 256, 1'024, 15};

class ReferenceFloorDevice final : public FloorDevice {
 public:
  /// Which tiles it does not compute: `skip(step, tile)`.
  using Skip = std::function<bool(std::uint32_t step, std::int64_t tile)>;

  explicit ReferenceFloorDevice(FloorWork work, Skip skip = {}) : work_(work), skip_(std::move(skip)) {}

  [[nodiscard]] FloorShape shape() const override { return work_.shape; }

  void begin(const FloorSeed& seed) override {
    seed_ = seed;
    tiles_.clear();
    fill(b_, stream_of_b(seed, work_.device), work_.shape.n);
  }

  Digest run_step(std::uint32_t step, const Digest& before) override {
    fill(a_, stream_of_a(seed_, work_.device, step, before), work_.shape.m);
    std::vector<Digest> digests(static_cast<std::size_t>(floor_tiles(work_.shape)));
    for (std::size_t tile = 0; tile < digests.size(); ++tile) {
      const auto number = static_cast<std::int64_t>(tile);
      digests[tile] = tile_hash(skip_ && skip_(step, number) ? Tile{} : product(number));
    }
    tiles_.push_back(std::move(digests));
    return merkle_root(tiles_.back());
  }

  std::vector<Digest> tile_path(std::uint32_t step, const Digest& /*before*/, std::int64_t tile) override {
    return merkle_inclusion_path(tiles_.at(step), static_cast<std::uint64_t>(tile));
  }

 private:
  void fill(std::vector<std::int8_t>& matrix, const PhiloxStream& stream, std::int64_t rows) const {
    matrix.resize(static_cast<std::size_t>(rows * work_.shape.k));
    fill_integers(stream, work_.shape.largest, 0, matrix);
  }

  [[nodiscard]] Tile product(std::int64_t tile) const {
    const std::int64_t across = work_.shape.n / kTileSide, k = work_.shape.k;
    Tile numbers{};
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const auto place = static_cast<std::int64_t>(i);
      const std::int8_t* a = a_.data() + (tile / across * kTileSide + place / kTileSide) * k;
      const std::int8_t* b = b_.data() + (tile % across * kTileSide + place % kTileSide) * k;
      for (std::int64_t at = 0; at < k; ++at) numbers[i] += a[at] * b[at];
    }
    return numbers;
  }

  FloorWork work_;
  Skip skip_;
  FloorSeed seed_{};
  std::vector<std::int8_t> a_, b_;
  std::vector<std::vector<Digest>> tiles_;
};

}  // namespace gpuassay::test
