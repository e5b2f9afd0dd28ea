// The steps of a verified run on one device, each after the one before: what was committed, and what opens it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/floor/floor_device.h"

namespace gpuassay {

class FloorChain {
 public:
  /// `device` must outlive this.
  FloorChain(FloorDevice& device, const FloorWork& work, const FloorSeed& seed);

  /// Steps until `goes_on` says no, one at least.
  void run(const std::function<bool()>& goes_on);
  [[nodiscard]] FloorCommitment::OfDevice commitment() const;
  /// Throws Error{unreadable_input} for a draw of a step or tile that there is none of.
  [[nodiscard]] FloorOpening open(const FloorDraw& draw) const;
  /// Works out some tiles of the first and the last step as the collector will: why they are others. Empty: they are
  /// right. A device that does not add integers exactly is no cheat, and is not to look like one.
  [[nodiscard]] std::optional<std::string> self_check() const;

 private:
  [[nodiscard]] std::vector<Digest> step_leaves() const;

  FloorDevice& device_;
  FloorWork work_;
  FloorSeed seed_;
  std::vector<Digest> digests_;  ///< of the steps
};

}  // namespace gpuassay
