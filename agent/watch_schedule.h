// When does a watch probe next, so that nobody can foresee it and its limit holds? Pure: the randomness is an argument.
#pragma once

#include <optional>

namespace gpuassay {

/// Without a limit of its own a watch probes this share of its time at most.
inline constexpr double kUsualShare = 0.01;
/// But, however short it is, this long if it can: fewer probes tell nothing.
inline constexpr double kLeastProbingS = 40;
/// Never more: what is watched is not only there to be probed.
inline constexpr double kMostShare = 0.5;
/// What a probe is taken to need before the first one has shown it.
inline constexpr double kExpectedProbeS = 4;

/// For how long a watch of `watch_s` may probe in all; `affordable_s` where the user set a limit of money.
double probing_limit_s(double watch_s, const std::optional<double>& affordable_s);

/// What a watch has left, in seconds.
struct WatchLeft {
  double watch_s = 0;
  double probing_s = 0;
  double probe_s = kExpectedProbeS;  ///< what one probe takes
};

/// The pause before the first probe, soon after the start. `uniform`: in (0, 1].
double first_pause_s(double watch_s, double uniform);

/// The pause before the next probe: exponential, so that having waited tells nothing, with the mean that spreads what
/// is left of the limit over what is left of the time. Empty when the limit has no place for another probe, or the time
/// is over before it.
std::optional<double> next_pause_s(const WatchLeft& left, double uniform);

}  // namespace gpuassay
