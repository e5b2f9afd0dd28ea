#include "agent/backends/onednn_operation.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>

namespace gpuassay {
namespace {

/// Each candidate is repeated for this long: the fastest of many short runs is not moved by interruptions, and the
/// choice must be the same in every run.
constexpr std::int64_t kTrialBudgetNs = 20'000'000;
constexpr int kMinimumTrials = 3;
/// Operations this long need no repeat: what disturbs them is small beside them.
constexpr std::int64_t kLongRunNs = 50'000'000;
/// A candidate whose first run takes this many times the best one's time is not tried again. The first run also
/// pays for page faults and instruction-cache misses.
constexpr std::int64_t kHopelessFactor = 3;

std::int64_t best_time_ns(const Candidate& candidate, const onednn::Session& session, std::int64_t best_so_far_ns) {
  const std::int64_t first_ns = time_executions_ns(candidate, session, 1);
  if (first_ns / kHopelessFactor > best_so_far_ns) return first_ns;
  std::int64_t best_ns = time_executions_ns(candidate, session, 1);
  std::int64_t spent_ns = best_ns;
  for (int trial = 2; best_ns < kLongRunNs && (trial < kMinimumTrials || spent_ns < kTrialBudgetNs); ++trial) {
    const std::int64_t time_ns = time_executions_ns(candidate, session, 1);
    spent_ns += time_ns;
    best_ns = std::min(best_ns, time_ns);
  }
  return best_ns;
}

}  // namespace

std::int64_t time_executions_ns(const Candidate& candidate, const onednn::Session& session, std::int64_t iterations) {
  const auto begin = std::chrono::steady_clock::now();
  for (std::int64_t i = 0; i < iterations; ++i) candidate.execute();
  session.wait();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begin).count();
}

std::size_t fastest_candidate(const std::vector<Candidate>& candidates, const onednn::Session& session) {
  if (candidates.size() < 2) return 0;
  std::size_t fastest = 0;
  std::int64_t best_ns = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const std::int64_t time_ns = best_time_ns(candidates[i], session, best_ns);
    if (time_ns < best_ns) {
      best_ns = time_ns;
      fastest = i;
    }
  }
  return fastest;
}

void poison(const AlignedBuffer& buffer, const ParallelFor& parallel_for) {
  const auto bytes = buffer.as<unsigned char>();
  parallel_for(bytes.size(),
               [&](std::size_t begin, std::size_t end) { std::memset(bytes.data() + begin, 0xff, end - begin); });
}

}  // namespace gpuassay
