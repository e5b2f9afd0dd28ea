#include "agent/backends/cuda_operation.h"

#include <algorithm>

#include "core/error.h"

namespace gpuassay {
namespace {

/// The first runs load kernels and ramp clocks: their time says nothing.
constexpr std::int64_t kLeastRuns = 4;
/// A graph lasts about a millisecond, beside which the gap to the next one vanishes.
constexpr double kGraphNs = 1'000'000;
constexpr std::int64_t kMaxNodes = 256;

}  // namespace

std::int64_t CudaOperation::run_timed_ns(std::int64_t iterations) {
  if (graph_) return run_graphs_ns(iterations);
  const std::int64_t time_ns = context_->time_ns([&] {
    for (std::int64_t i = 0; i < iterations; ++i) enqueue();
  });
  if (recordable() && !record_tried_ && iterations >= kLeastRuns) {
    const double each_ns = static_cast<double>(time_ns) / static_cast<double>(iterations);
    if (each_ns < kHostBoundBelowNs) record(each_ns);
  }
  return time_ns;
}

std::string CudaOperation::algorithm() const {
  std::string text = implementation();
  if (record_tried_ && !graph_) text += text.empty() ? "queued singly" : ", queued singly";
  return text;
}

void CudaOperation::record(double each_ns) {
  record_tried_ = true;
  nodes_ = std::clamp(static_cast<std::int64_t>(kGraphNs / each_ns), kLeastRuns, kMaxNodes);
  // Whole turns of the operands: the next graph begins with the first ones again.
  nodes_ = (nodes_ + turns() - 1) / turns() * turns();
  graph_ = CudaGraph::record(*context_, nodes_, [&] {
    for (std::int64_t i = 0; i < nodes_; ++i) enqueue();
  });
  // What was recorded has not run, and verify() looks at what was queued last. The first launch also uploads the graph.
  if (graph_) {
    graph_->launch();
  } else {
    run_after_refusal();
  }
  context_->synchronize();
}

/// A library's run time may still tell the error of a failed recording in its next call.
void CudaOperation::run_after_refusal() {
  try {
    enqueue();
  } catch (const Error&) {
    enqueue();
  }
}

/// Whole graphs are launched; their time is shared out to the operations asked for.
std::int64_t CudaOperation::run_graphs_ns(std::int64_t iterations) const {
  const std::int64_t graphs = (iterations + nodes_ - 1) / nodes_;
  const std::int64_t time_ns = context_->time_ns([&] {
    for (std::int64_t i = 0; i < graphs; ++i) graph_->launch();
  });
  const double share = static_cast<double>(iterations) / static_cast<double>(graphs * nodes_);
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(time_ns) * share));
}

}  // namespace gpuassay
