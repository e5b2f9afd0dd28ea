// How are operations run faster than the host can queue them? Recorded once as a CUDA graph and launched as one.
#pragma once

#include <functional>
#include <optional>

#include "agent/backends/cuda_context.h"

namespace gpuassay {

/// Where queueing costs the host 2 to 10 us, and on a slow one with a talkative library ten times that, an operation
/// shorter than this may be over before the next one is queued.
inline constexpr double kHostBoundBelowNs = 200'000;

/// An executable graph of what was queued on the context's stream while it was recorded. Moves, does not copy. The
/// context, and whatever memory and handles the recorded operations use, must outlive its launches.
class CudaGraph {
 public:
  /// Runs `enqueue` with the stream in capture mode: it queues nothing. Empty when this driver has no graphs, when
  /// `enqueue` throws Error, or when less than `operations` nodes were recorded: a library may synchronise, allocate or
  /// go its own way. The stream is usable again then.
  static std::optional<CudaGraph> record(const CudaContext& context, std::int64_t operations,
                                         const std::function<void()>& enqueue);

  CudaGraph(CudaGraph&& other) noexcept;
  CudaGraph& operator=(CudaGraph&& other) noexcept;
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;
  ~CudaGraph();

  /// Queues the whole graph on the context's stream.
  void launch() const;

 private:
  explicit CudaGraph(const CudaContext& context) : context_(&context) {}
  [[nodiscard]] std::int64_t node_count() const;
  [[nodiscard]] bool instantiate();

  const CudaContext* context_;
  cuda::Graph graph_ = nullptr;
  cuda::GraphExec exec_ = nullptr;
};

}  // namespace gpuassay
