// How does a stream wait until everything is queued? A kernel of one thread holds it until the host says go, so that a
// measurement does not contain the queueing. Only for copies and our own kernels: a library call may wait for the
// device and would then wait for ever, was the gate not bounded.
#pragma once

#include <cstdint>
#include <functional>

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

/// Times what is queued behind a gate, on the context's stream and on others that are ordered after it. Where the host
/// queues too slowly for a gate, the sample is taken again without one, as is every later one.
class GatedTimer {
 public:
  /// `gated`: false for what the host itself does while it is queued, where a gate would hold nothing back.
  explicit GatedTimer(CudaContext& context, bool gated = true) : context_(context), gate_(context), gated_(gated) {}

  /// `enqueue` leaves the context current that was so before.
  std::int64_t time_ns(const std::function<void()>& enqueue);

 private:
  std::int64_t once_ns(const std::function<void()>& enqueue);

  CudaContext& context_;
  CudaGate gate_;
  bool gated_;
};

/// What is queued on `after` from now on starts after what `before` has now; `event` is of the device of `before`.
void order_streams(const cuda::Api& api, cuda::Stream before, cuda::Event event, cuda::Stream after);

}  // namespace gpuassay
