#include "agent/verdicts_clock.h"

#include <fmt/format.h>

#include <cmath>

#include "core/timestamp.h"

namespace gpuassay {
namespace {

/// Clocks that are steered move less than this in a run of minutes; one that was set, more.
constexpr double kJumpS = 2;
constexpr double kMsPerSecond = 1000;
constexpr const char* kRemedy = "set the clock (timedatectl set-ntp true) and run again: prices are found by the time";

}  // namespace

void judge_clock(const Result& result, std::vector<Verdict>& verdicts) {
  if (result.started_at.empty() || result.finished_at.empty()) return;  // of a document that is not finished
  const std::int64_t started_ms = parse_rfc3339_ms(result.started_at);
  if (started_ms < kFirstReleaseMs)
    verdicts.push_back({"clock_wrong", std::nullopt,
                        fmt::format("this machine's clock says {}, before there was this program", result.started_at),
                        kRemedy});
  const double by_wall_s = static_cast<double>(parse_rfc3339_ms(result.finished_at) - started_ms) / kMsPerSecond;
  const double jump_s = by_wall_s - result.duration_s;
  if (std::abs(jump_s) < kJumpS) return;
  verdicts.push_back({"clock_jumped", std::nullopt,
                      fmt::format("this machine's clock was set {:.0f} s {} during the run", std::abs(jump_s),
                                  jump_s > 0 ? "forward" : "back"),
                      kRemedy});
}

}  // namespace gpuassay
