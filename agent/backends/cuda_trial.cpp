#include "agent/backends/cuda_trial.h"

#include <algorithm>
#include <vector>

#include "agent/backends/candidate_trial.h"

namespace gpuassay {
namespace {

constexpr std::int64_t kLeastTimedNs = 200'000;
constexpr std::int64_t kMostRuns = 64;
constexpr std::int64_t kTrialMaxNs = 400'000'000;

/// Nanoseconds of one of `runs` runs back to back; empty when one is refused.
std::optional<std::int64_t> time_runs(const CudaContext& context, const QueueCandidate& queue, std::size_t index,
                                      std::int64_t runs) {
  bool taken = true;
  const std::int64_t time_ns = context.time_ns([&] {
    for (std::int64_t i = 0; i < runs && taken; ++i) taken = queue(index);
  });
  if (!taken) return std::nullopt;
  return std::max<std::int64_t>(1, time_ns / runs);
}

}  // namespace

std::optional<std::size_t> fastest_cuda_candidate(const CudaContext& context, std::size_t count,
                                                  const QueueCandidate& queue) {
  std::vector<std::int64_t> runs(count, 0);  // 0: not run yet
  TrialLimits limits;
  limits.min_turns = 4;
  limits.max_ns = kTrialMaxNs;
  return fastest_candidate(
      count,
      [&](std::size_t index) -> std::optional<std::int64_t> {
        if (runs[index] == 0) {
          if (!queue(index)) return std::nullopt;
          context.synchronize();
          const auto once_ns = time_runs(context, queue, index, 1);
          if (!once_ns) return std::nullopt;
          runs[index] = std::clamp<std::int64_t>(kLeastTimedNs / *once_ns, 1, kMostRuns);
        }
        return time_runs(context, queue, index, runs[index]);
      },
      limits);
}

}  // namespace gpuassay
