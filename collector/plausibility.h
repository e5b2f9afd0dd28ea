// Can what this run says be true? Physics and arithmetic only: a reason keeps a run out of aggregates, never out of the
// dataset. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/model.h"

namespace gpuassay {

/// What follows from the raw samples of a document, whatever the document says.
struct Recomputed {
  std::vector<Measurement> measurements;
  Score score;
};

Recomputed recompute(const Result& result);

/// Why `result`, received at `now_ms`, cannot be what it says; empty when nothing speaks against it. Reasons are
/// "code: detail", at most kMostReasons of them:
/// - arithmetic: figures or score that do not follow from the samples (figures_differ, score_differs), an operation
///   under another's name or measured twice (operation_differs), more time under load than the run took, a run of
///   months, or one that ended at another time than its beginning and duration say, unless it noticed that the clock
///   was set (time_differs);
/// - checks: a figure without a passed check of its output, or with one that lets everything pass (unverified);
/// - physics: more than the theoretical peak at the highest clock the card has (above_peak), beyond any single device
///   (beyond_physics), memory, multiprocessors or clocks that the model does not have (device_differs);
/// - sizes that no machine of this decade has: processors, memory, power, clocks, time since boot
///   (beyond_physics);
/// - clocks: begun or ended in the future, or begun before this program existed (clock_differs).
std::vector<std::string> implausible_parts(const Result& result, const Recomputed& recomputed, std::int64_t now_ms);

inline constexpr std::size_t kMostReasons = 8;

/// Whether a stored reason is one of implausible_parts(), of this version or of an earlier one, or several of them
/// joined. Any other comes from somebody who knows more than the document tells.
bool is_reason_of_document(std::string_view reason);

}  // namespace gpuassay
