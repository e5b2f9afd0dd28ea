// Which of several ways of computing the same thing is the fastest here? A short trial, decided by single best runs; of
// devices whose clock moves, by a final.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

namespace gpuassay {

/// How long a trial may take. Candidates take turns, so that a disturbance does not meet one alone.
struct TrialLimits {
  int min_turns = 5;                ///< of every candidate that is not hopeless
  std::int64_t budget_ns = 0;       ///< further turns until the trial took this long
  std::int64_t max_ns = INT64_MAX;  ///< after this, and two candidates, no new candidate is tried and no turn begins
  /// Operations this long need no third run: what disturbs them is small beside them.
  std::int64_t long_run_ns = 50'000'000;
  /// Turns of a final between the best few, decided by medians; 0: none. A device at its power limit runs the first
  /// candidate at a clock that no later one sees, so that single best runs would choose by the order.
  int final_turns = 0;
  std::int64_t final_budget_ns = INT64_MAX;  ///< no turn of the final but the first begins after this
};

/// Runs candidate number `index` once; its nanoseconds, or empty when it refuses to run.
using CandidateRun = std::function<std::optional<std::int64_t>(std::size_t index)>;

/// Index of the candidate with the fastest single run; a single one is not run at all. Empty when there is none, or
/// when all refuse. Candidates should come with the likeliest first.
std::optional<std::size_t> fastest_candidate(std::size_t count, const CandidateRun& run, const TrialLimits& limits);

}  // namespace gpuassay
