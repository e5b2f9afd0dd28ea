#include "agent/backends/onednn_operation.h"

#include <chrono>
#include <cstring>

#include "agent/backends/candidate_trial.h"

namespace gpuassay {
namespace {

/// Until each candidate had this long: the fastest of many short runs is not moved by interruptions, and the choice
/// must be the same in every run.
constexpr std::int64_t kTrialBudgetNs = 20'000'000;

}  // namespace

std::int64_t time_executions_ns(const Candidate& candidate, const onednn::Session& session, std::int64_t iterations) {
  const auto begin = std::chrono::steady_clock::now();
  for (std::int64_t i = 0; i < iterations; ++i) candidate.execute();
  session.wait();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begin).count();
}

std::size_t fastest_candidate(const std::vector<Candidate>& candidates, const onednn::Session& session) {
  TrialLimits limits;
  limits.budget_ns = kTrialBudgetNs * std::ssize(candidates);
  const auto run = [&](std::size_t index) { return time_executions_ns(candidates[index], session, 1); };
  return fastest_candidate(candidates.size(), run, limits).value_or(0);
}

void poison(const AlignedBuffer& buffer, const ParallelFor& parallel_for) {
  const auto bytes = buffer.as<unsigned char>();
  parallel_for(bytes.size(),
               [&](std::size_t begin, std::size_t end) { std::memset(bytes.data() + begin, 0xff, end - begin); });
}

}  // namespace gpuassay
