#include "agent/backends/onednn_operation.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>

namespace gpuassay {
namespace {

/// Candidates take this many turns at least, and further ones until each had kTrialBudgetNs: the fastest of many short
/// runs is not moved by interruptions, and the choice must be the same in every run.
constexpr int kMinimumTurns = 5;
constexpr std::int64_t kTrialBudgetNs = 20'000'000;
/// Operations this long need no repeat: what disturbs them is small beside them.
constexpr std::int64_t kLongRunNs = 50'000'000;
/// A candidate that takes this many times the best one's time gets no further turn. Large, because the first run also
/// pays for page faults and instruction-cache misses.
constexpr std::int64_t kHopelessFactor = 3;

}  // namespace

std::int64_t time_executions_ns(const Candidate& candidate, const onednn::Session& session, std::int64_t iterations) {
  const auto begin = std::chrono::steady_clock::now();
  for (std::int64_t i = 0; i < iterations; ++i) candidate.execute();
  session.wait();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begin).count();
}

std::size_t fastest_candidate(const std::vector<Candidate>& candidates, const onednn::Session& session) {
  if (candidates.size() < 2) return 0;
  std::vector<std::int64_t> best_ns(candidates.size(), std::numeric_limits<std::int64_t>::max());
  const auto fastest = [&] { return std::min_element(best_ns.begin(), best_ns.end()); };
  std::int64_t spent_ns = 0;
  const std::int64_t budget_ns = kTrialBudgetNs * std::ssize(candidates);
  for (int turn = 0; turn < kMinimumTurns || spent_ns < budget_ns; ++turn) {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (turn > 0 && best_ns[i] / kHopelessFactor > *fastest()) continue;
      const std::int64_t time_ns = time_executions_ns(candidates[i], session, 1);
      spent_ns += time_ns;
      best_ns[i] = std::min(best_ns[i], time_ns);
    }
    if (turn > 0 && *fastest() > kLongRunNs) break;
  }
  return static_cast<std::size_t>(fastest() - best_ns.begin());
}

void poison(const AlignedBuffer& buffer, const ParallelFor& parallel_for) {
  const auto bytes = buffer.as<unsigned char>();
  parallel_for(bytes.size(),
               [&](std::size_t begin, std::size_t end) { std::memset(bytes.data() + begin, 0xff, end - begin); });
}

}  // namespace gpuassay
