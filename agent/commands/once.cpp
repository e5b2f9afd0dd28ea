#include "agent/commands/once.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "agent/platform/evidence.h"
#include "agent/system_root.h"
#include "core/enums.h"
#include "core/error.h"
#include "core/result_json.h"

namespace gpuassay {
namespace {

constexpr const char* kMarkerFile = "once.json";

/// A run that was killed, or could not measure anything, is no reason not to measure.
bool counts(const Result& result) {
  const bool killed = std::any_of(result.reasons.begin(), result.reasons.end(),
                                  [](const Reason& reason) { return reason.code == "killed"; });
  return !killed && std::any_of(result.measurements.begin(), result.measurements.end(), [](const Measurement& each) {
    return each.status == CaseStatus::ok || each.status == CaseStatus::wrong_result;
  });
}

std::optional<Result> saved_result(const Spool& spool, const std::string& run_id) {
  try {
    const auto body = spool.read(run_id + ".json");
    return body ? std::optional(parse_result(*body)) : std::nullopt;
  } catch (const Error&) {  // damaged: it tells nothing
    return std::nullopt;
  }
}

/// The process may have died between saving the result and saying so in the marker.
bool is_saved(const Spool& spool, const std::string& run_id) {
  const auto result = saved_result(spool, run_id);
  return result && counts(*result);
}

std::optional<RunMarker> read_marker(const Spool& spool) {
  std::optional<RunMarker> marker;
  try {
    marker = parse_marker(spool.read_setting(kMarkerFile).value_or(""));
  } catch (const Error&) {  // unreadable: as if there were none
    return std::nullopt;
  }
  if (marker && marker->state == MarkerState::measuring && is_saved(spool, marker->run_id))
    marker->state = MarkerState::ended;
  return marker;
}

}  // namespace

MachineIdentity machine_identity(const Environment& environment, const IdentifierHash& hash,
                                 std::optional<std::string> instance_id_hash) {
  const SystemRoot root(environment.system_root);
  const auto hashed = [&](std::string_view kind, const std::string& text) -> std::optional<std::string> {
    return text.empty() ? std::nullopt : hash(kind, text);
  };
  MachineIdentity identity;
  identity.boot = hashed("boot_id", root.read_trimmed("/proc/sys/kernel/random/boot_id").value_or(""));
  identity.instance_id = std::move(instance_id_hash);
  identity.firmware_id = hashed("product_uuid", read_evidence(root, {}).firmware.product_uuid);
  identity.machine_id = hashed("machine_id", root.read_trimmed("/etc/machine-id").value_or(""));
  return identity;
}

OnceMarker::OnceMarker(OnceScope scope, MachineIdentity identity, const std::optional<Spool>& spool)
    : scope_(scope), spool_(spool) {
  if (spool_) last_ = read_marker(*spool_);
  decision_ = decide(scope_, last_, identity);
  own_.identity = std::move(identity);
  own_.killed_before = decision_.killed_before;
}

std::string OnceMarker::explanation() const {
  if (decision_.answer == OnceAnswer::already) {
    const auto earlier = spool_ ? saved_result(*spool_, earlier_run()) : std::nullopt;
    return fmt::format("measured {} already, as {} ({}); to measure again, leave out --once",
                       scope_ == OnceScope::boot ? "on this boot" : "on this instance", earlier_run(),
                       earlier ? to_name(earlier->status) : "which is not there any more");
  }
  return fmt::format(
      "the machine went down during the last {} unattended runs, the last one {}; another could bring it down again. "
      "Find out why, then remove {}, or run without --once",
      decision_.killed_before, earlier_run(), (spool_->data_dir() / kMarkerFile).string());
}

void OnceMarker::begin(const std::string& run_id, Progress& progress) {
  own_.run_id = run_id;
  keep(MarkerState::measuring, progress);
}

void OnceMarker::end(const Result& result, bool durable, Progress& progress) {
  keep(durable && counts(result) ? MarkerState::ended : MarkerState::in_vain, progress);
}

void OnceMarker::keep(MarkerState state, Progress& progress) {
  own_.state = state;
  std::string problem = "there is no data directory";
  if (spool_) {
    try {
      return spool_->replace_setting(kMarkerFile, marker_text(own_));
    } catch (const Error& error) {
      problem = error.what();
    }
  }
  progress.warn(fmt::format("that this machine was measured cannot be remembered: {}", problem));
}

OnceMarker once_marker(OnceScope scope, const Environment& environment, const IdentifierHash& hash,
                       PlatformStage& platform, const std::optional<Spool>& spool) {
  Inventory known;
  if (scope == OnceScope::instance) platform.wait_and_put_into(known);
  return {scope, machine_identity(environment, hash, known.platform.instance_id_hash), spool};
}

}  // namespace gpuassay
