// Lets a collector check and time work that this machine does now: the agent's side of the protocol of
// docs/VERIFIED_RUN.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/floor/floor_team.h"
#include "agent/short_request.h"

namespace gpuassay {

/// What the collector says came of it; `problem`, one line, where it came to nothing.
struct VerifiedRun {
  FloorReport report;
  std::string problem;
  std::vector<std::string> notes = {};  ///< what was left out on the way, a line each
};

/// For a run that this collector has stored, signed by this key, not long ago. Takes about 10 s. Never throws: a
/// result is not lost by failing to prove it.
VerifiedRun do_verified_run(const std::string& run_id, const std::vector<FloorMember>& members,
                            const CollectorAccess& access, const UploadWorld& world);

}  // namespace gpuassay
