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
constexpr std::int64_t kTrialMaxNs = 400'000'000;

/// One candidate's runs back to back.
class Runs {
 public:
  Runs(const CudaContext& context, const QueueCandidate& queue, std::size_t index)
      : context_(context), queue_(queue), index_(index) {}

  /// Nanoseconds of one run; empty when one is refused.
  std::optional<std::int64_t> time_ns() {
    if (count_ == 0 && !prepare()) return std::nullopt;
    return graph_ ? timed([this] {
      graph_->launch();
      return true;
    })
                  : timed([this] { return queue_all(); });
  }

 private:
  [[nodiscard]] bool queue_all() const {
    for (std::int64_t i = 0; i < count_; ++i) {
      if (!queue_(index_)) return false;
    }
    return true;
  }

  /// Once untimed, as the first run loads kernels; then how many runs are timed together.
  bool prepare() {
    count_ = 1;
    if (!queue_all()) return false;
    context_.synchronize();
    const auto once_ns = timed([this] { return queue_all(); });
    if (!once_ns) return false;
    count_ = std::clamp<std::int64_t>(kLeastTimedNs / *once_ns, 1, kMostRuns);
    // Queued one by one, all candidates would take the host's time.
    if (static_cast<double>(*once_ns) < kHostBoundBelowNs) {
      graph_ = CudaGraph::record(context_, count_, [this] {
        if (!queue_all()) throw Error(ErrorCode::unsupported, "the library refuses to be recorded");
      });
      // A library's run time may still tell the error of a failed recording in its next call.
      if (!graph_) (void)queue_(index_);
    }
    return true;
  }

  template <class Queue>
  std::optional<std::int64_t> timed(const Queue& queue) const {
    bool taken = true;
    const std::int64_t time_ns = context_.time_ns([&] { taken = queue(); });
    if (!taken) return std::nullopt;
    return std::max<std::int64_t>(1, time_ns / count_);
  }

  const CudaContext& context_;
  const QueueCandidate& queue_;
  std::size_t index_;
  std::int64_t count_ = 0;  ///< runs timed together; 0: not run yet
  std::optional<CudaGraph> graph_;
};

}  // namespace

std::optional<std::size_t> fastest_cuda_candidate(const CudaContext& context, std::size_t count,
                                                  const QueueCandidate& queue) {
  std::vector<Runs> runs;
  runs.reserve(count);
  for (std::size_t i = 0; i < count; ++i) runs.emplace_back(context, queue, i);
  TrialLimits limits;
  limits.min_turns = 4;
  limits.max_ns = kTrialMaxNs;
  return fastest_candidate(count, [&](std::size_t index) { return runs[index].time_ns(); }, limits);
}

}  // namespace gpuassay
