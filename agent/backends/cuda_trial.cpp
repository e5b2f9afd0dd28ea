#include "agent/backends/cuda_trial.h"

#include <algorithm>
#include <vector>

#include "agent/backends/candidate_trial.h"
#include "agent/backends/cuda_graph.h"
#include "core/error.h"

namespace gpuassay {
namespace {

constexpr std::int64_t kLeastTimedNs = 200'000;
constexpr std::int64_t kMostRuns = 64;
constexpr std::int64_t kLongNs = 5'000'000;
constexpr std::int64_t kTrialMaxNs = 250'000'000;
constexpr int kFinalTurns = 7;
/// Three turns of four matrix products of 20 ms: for less, an H200's excursions to lower clocks chose.
constexpr std::int64_t kFinalMaxNs = 200'000'000;

/// One candidate's runs back to back.
class Runs {
 public:
  /// @param all_long set by a candidate that is long: then others that seem so are not run twice to load their kernels.
  Runs(const CudaContext& context, const QueueCandidate& queue, std::size_t index, bool& all_long)
      : context_(context), queue_(queue), index_(index), all_long_(all_long) {}

  /// Nanoseconds of one run; empty when one is refused.
  std::optional<std::int64_t> time_ns() { return count_ > 0 ? timed() : first_time_ns(); }

 private:
  /// The first run loads kernels, which takes up to some ten milliseconds.
  std::optional<std::int64_t> first_time_ns() {
    count_ = 1;
    const auto first_ns = timed();
    if (!first_ns || (all_long_ && *first_ns >= kLongNs)) return first_ns;
    const auto once_ns = timed();
    if (!once_ns) return std::nullopt;
    all_long_ = *once_ns >= kLongNs;
    count_ = std::clamp<std::int64_t>(kLeastTimedNs / *once_ns, 1, kMostRuns);
    // Queued one by one, all candidates would take the host's time.
    if (static_cast<double>(*once_ns) < kHostBoundBelowNs) record();
    return timed();
  }

  void record() {
    graph_ = CudaGraph::record(context_, count_, [this] {
      if (!queue_all()) throw Error(ErrorCode::unsupported, "the library refuses to be recorded");
    });
    if (graph_) {
      // The first launch also uploads the graph, so that a fast candidate would seem slow, or hopeless.
      graph_->launch();
    } else {
      // A library's run time may still tell the error of a failed recording in its next call.
      (void)queue_(index_);
    }
    context_.synchronize();
  }

  [[nodiscard]] bool queue_all() const {
    for (std::int64_t i = 0; i < count_; ++i) {
      if (!queue_(index_)) return false;
    }
    return true;
  }

  [[nodiscard]] std::optional<std::int64_t> timed() const {
    bool taken = true;
    const std::int64_t time_ns = context_.time_ns([&] {
      if (graph_) {
        graph_->launch();
      } else {
        taken = queue_all();
      }
    });
    if (!taken) return std::nullopt;
    return std::max<std::int64_t>(1, time_ns / count_);
  }

  const CudaContext& context_;
  const QueueCandidate& queue_;
  std::size_t index_;
  bool& all_long_;
  std::int64_t count_ = 0;  ///< runs timed together; 0: not run yet
  std::optional<CudaGraph> graph_;
};

}  // namespace

std::optional<std::size_t> fastest_cuda_candidate(const CudaContext& context, std::size_t count,
                                                  const QueueCandidate& queue) {
  bool all_long = false;
  std::vector<Runs> runs;
  runs.reserve(count);
  for (std::size_t i = 0; i < count; ++i) runs.emplace_back(context, queue, i, all_long);
  TrialLimits limits;
  limits.min_turns = 4;
  limits.max_ns = kTrialMaxNs;
  limits.final_turns = kFinalTurns;
  limits.final_budget_ns = kFinalMaxNs;
  return fastest_candidate(count, [&](std::size_t index) { return runs[index].time_ns(); }, limits);
}

}  // namespace gpuassay
