// What do all operations of the CPU backend share? The library session, the thread team and the inputs.
#pragma once

#include <cstdint>
#include <vector>

#include "agent/backends/onednn_session.h"
#include "agent/backends/pinned_threads.h"
#include "agent/workloads/random_inputs.h"
#include "core/model.h"

namespace gpuassay {

/// The CPU of each thread that measures, -1 where that is left open.
std::vector<int> measuring_cpus(const CpuFacts& facts);

/// Held by shared_ptr by the backend and each operation, so that operations may outlive the backend.
class CpuContext {
 public:
  /// Opens oneDNN with `facts.threads` OpenMP threads; see make_cpu_backend.
  explicit CpuContext(const CpuFacts& facts);

  [[nodiscard]] const CpuFacts& facts() const { return facts_; }
  [[nodiscard]] const onednn::LoadedLibrary& library() const { return library_; }
  [[nodiscard]] const onednn::Session& session() const { return session_; }
  [[nodiscard]] PinnedThreads& threads() { return threads_; }
  /// Made at the first call.
  [[nodiscard]] const RandomInputs& inputs();
  /// A tensor number not given before, so that no two operands of an operation are the same window.
  [[nodiscard]] std::uint64_t next_stream() { return ++streams_; }
  /// Splits work over the thread team; small work stays on the calling thread.
  [[nodiscard]] ParallelFor parallel_for();

 private:
  CpuFacts facts_;
  onednn::LoadedLibrary library_;
  onednn::Session session_;
  PinnedThreads threads_;
  std::unique_ptr<RandomInputs> inputs_;
  std::uint64_t streams_ = 0;
};

}  // namespace gpuassay
