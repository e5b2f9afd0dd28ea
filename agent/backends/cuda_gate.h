// How does a stream wait until everything is queued? A kernel of one thread holds it until the host says go, so that a
// measurement does not contain the queueing. Only for copies and our own kernels: a library call may wait for the
// device and would then wait for ever, was the gate not bounded.
#pragma once

#include "agent/backends/cuda_context.h"

namespace gpuassay {

class CudaGate {
 public:
  explicit CudaGate(CudaContext& context);

  /// Queues the gate on the context's stream, closed.
  void hold();
  /// Lets the stream go on.
  void open();
  /// Whether the last gate was opened before its time was over. Waits for the stream.
  [[nodiscard]] bool opened_in_time() const;

 private:
  CudaContext& context_;
  PinnedBuffer flag_;
  DeviceBuffer outcome_;
};

}  // namespace gpuassay
