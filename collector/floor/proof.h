// What has been shown of a run, device by device, and where that is kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collector/connection_pool.h"
#include "core/floor/messages.h"

namespace gpuassay {

/// One row of the table `floor_proof`.
struct FloorProof {
  FloorOutcome outcome;  ///< of the device
  std::uint32_t steps = 0;
  std::size_t draws = 0;
  std::int64_t interval_ns = 0;  ///< by the collector's clock, from the challenge to the commitment
  std::string evidence_sha256;   ///< of report and certificates, when the device said what it is
  bool speed_confirmed = false;  ///< the floor reached what its kind of device must show of every figure
};

/// Safe to use from any thread. Failures are Error{database}.
class FloorProofs {
 public:
  /// `pool` must outlive this.
  explicit FloorProofs(ConnectionPool& pool) : pool_(pool) {}

  /// Notes durably that these were committed. False, and nothing was noted, when something is there for the run, or the
  /// run is not there any more.
  bool commit(std::string_view run_id, const std::vector<FloorProof>& proofs);
  /// What came of them; and the label of the run.
  void decide(std::string_view run_id, const std::vector<FloorProof>& proofs, std::string_view trust);
  [[nodiscard]] std::vector<FloorProof> of_run(std::string_view run_id) const;

 private:
  ConnectionPool& pool_;
};

}  // namespace gpuassay
