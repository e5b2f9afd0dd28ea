// What does the work of a verified run on one device? The seam between the chain of steps and hardware.
#pragma once

#include <cstdint>
#include <vector>

#include "core/floor/messages.h"

namespace gpuassay {

/// One device with memory and library ready, so that nothing but work is left once the collector's clock runs. Not
/// thread-safe.
class FloorDevice {
 public:
  FloorDevice() = default;
  FloorDevice(const FloorDevice&) = delete;
  FloorDevice& operator=(const FloorDevice&) = delete;
  virtual ~FloorDevice() = default;

  /// Of its steps; a device may have measured itself before it decided.
  [[nodiscard]] virtual FloorShape shape() const = 0;
  /// Makes the operand B of this seed. Throws Error, as the others do.
  virtual void begin(const FloorSeed& seed) = 0;
  /// Computes a step that follows `before`, and hashes all of its result: the digest of the step.
  virtual Digest run_step(std::uint32_t step, const Digest& before) = 0;
  /// What leads from a tile to the digest of a step that was run after begin(); computes it anew where it was not kept.
  virtual std::vector<Digest> tile_path(std::uint32_t step, const Digest& before, std::int64_t tile) = 0;
};

}  // namespace gpuassay
