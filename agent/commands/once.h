// `run --once`: was this machine measured already? Keeps the marker of run_marker.h in the data directory.
#pragma once

#include <optional>
#include <string>

#include "agent/environment.h"
#include "agent/options.h"
#include "agent/platform/platform_block.h"
#include "agent/platform_stage.h"
#include "agent/progress.h"
#include "agent/run_marker.h"
#include "agent/spool.h"
#include "core/model.h"

namespace gpuassay {

/// Below the environment's system root. `instance_id_hash`: what the platform says, where it was asked.
MachineIdentity machine_identity(const Environment& environment, const IdentifierHash& hash,
                                 std::optional<std::string> instance_id_hash);

class OnceMarker {
 public:
  /// Reads the marker of `spool`; without a spool, or with one that cannot be read, there is none. Call after killed
  /// runs were made partial results.
  OnceMarker(OnceScope scope, MachineIdentity identity, const std::optional<Spool>& spool);

  [[nodiscard]] OnceAnswer answer() const { return decision_.answer; }
  /// The run that makes the answer not `measure`.
  [[nodiscard]] const std::string& earlier_run() const { return last_->run_id; }
  /// One line for the user on why nothing is measured.
  [[nodiscard]] std::string explanation() const;

  /// Before the first case. What cannot be remembered is told: the run then counts for nothing at the next start.
  void begin(const std::string& run_id, Progress& progress);
  /// After the result went where it could.
  void end(const Result& result, bool durable, Progress& progress);

 private:
  void keep(MarkerState state, Progress& progress);

  OnceScope scope_;
  const std::optional<Spool>& spool_;
  std::optional<RunMarker> last_;
  OnceDecision decision_;
  RunMarker own_;
};

/// Where instances are told apart the platform's word counts, which is then waited for. `spool` outlives the marker.
OnceMarker once_marker(OnceScope scope, const Environment& environment, const IdentifierHash& hash,
                       PlatformStage& platform, const std::optional<Spool>& spool);

}  // namespace gpuassay
