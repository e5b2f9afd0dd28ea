// Has this machine been measured already, on this boot or ever? What `run --once` remembers in the data directory, and
// what follows from it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/options.h"

namespace gpuassay {

/// What tells one boot, and one machine, from another: hashes under the machine's key; empty where the system does not
/// tell. An image cloned with its data directory brings the key along, so what is compared is of the machine itself.
struct MachineIdentity {
  std::optional<std::string> boot;         ///< of the kernel's boot_id
  std::optional<std::string> instance_id;  ///< of the platform's
  std::optional<std::string> firmware_id;  ///< of the firmware's product_uuid
  std::optional<std::string> machine_id;   ///< of /etc/machine-id, which clones may share
};

/// The first identifier that both know decides, most certain first. Where they have none in common it is the boot,
/// which is one machine's, but in a container that of the machine below it.
bool is_same_machine(const MachineIdentity& left, const MachineIdentity& right);

enum class MarkerState {
  measuring,  ///< written before the first case: when it is found, the process or the machine was killed
  ended,      ///< a result with something in it is saved
  in_vain,    ///< nothing could be measured, or nothing durable is left
};

/// The last unattended run.
struct RunMarker {
  MachineIdentity identity;
  std::string run_id;
  int killed_before = 0;  ///< unattended runs in a row before this one during which the machine went down
  MarkerState state = MarkerState::measuring;
};

/// One JSON object and a newline.
std::string marker_text(const RunMarker& marker);
/// Empty for what marker_text() did not write: a damaged marker must not keep a machine from being measured.
std::optional<RunMarker> parse_marker(std::string_view text);

enum class OnceAnswer {
  measure,
  already,  ///< a result of this boot or machine is there
  given_up  ///< the machine went down during the last runs: one more could bring it down at every boot
};

struct OnceDecision {
  OnceAnswer answer = OnceAnswer::measure;
  int killed_before = 0;  ///< for the marker of the run that now begins
};

/// A run during which the machine went down is tried again once.
inline constexpr int kMostKilledRuns = 2;

/// `last`: the marker that was found, its state `ended` where its result turned out to be saved. A run that was killed
/// on this very boot, as containers are stopped, says nothing against another one.
OnceDecision decide(OnceScope scope, const std::optional<RunMarker>& last, const MachineIdentity& now);

}  // namespace gpuassay
