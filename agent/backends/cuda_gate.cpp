#include "agent/backends/cuda_gate.h"

#include <atomic>
#include <span>

namespace gpuassay {
namespace {

/// After this long the gate opens by itself; a hundred times what queueing takes.
constexpr std::uint64_t kTimeoutNs = 200'000'000;
/// The same on the multiprocessor's clock, should the global timer stand still: 2 GHz is the order of all of them.
constexpr std::uint64_t kTimeoutCycles = 2 * kTimeoutNs;

std::atomic_ref<std::uint32_t> word(const PinnedBuffer& flag) {
  return std::atomic_ref<std::uint32_t>(*static_cast<std::uint32_t*>(flag.data()));
}

}  // namespace

CudaGate::CudaGate(CudaContext& context)
    : context_(context),
      flag_(context.api(), sizeof(std::uint32_t)),
      outcome_(context.allocate(sizeof(std::uint32_t))) {}

void CudaGate::hold() {
  word(flag_).store(0, std::memory_order_release);
  kernels::GateArguments arguments{};
  arguments.flag = flag_.device_address();
  arguments.outcome = outcome_.address();
  arguments.timeout_ns = kTimeoutNs;
  arguments.timeout_cycles = kTimeoutCycles;
  context_.launch_raw(context_.modules().function("base", kernels::kGate), 1, 1, &arguments);
}

bool CudaGate::opened_in_time() const {
  std::uint32_t outcome = 0;
  context_.read(outcome_, std::as_writable_bytes(std::span(&outcome, 1)));
  return outcome == static_cast<std::uint32_t>(kernels::GateOutcome::opened);
}

void CudaGate::open() { word(flag_).store(1, std::memory_order_release); }

std::int64_t GatedTimer::once_ns(const std::function<void()>& enqueue) {
  context_.make_current();
  if (gated_) gate_.hold();
  return context_.time_ns([&] {
    enqueue();
    if (gated_) gate_.open();
  });
}

std::int64_t GatedTimer::time_ns(const std::function<void()>& enqueue) {
  const std::int64_t time_ns = once_ns(enqueue);
  if (!gated_ || gate_.opened_in_time()) return time_ns;
  // What the gate let through early is no clean sample.
  gated_ = false;
  return once_ns(enqueue);
}

void order_streams(const cuda::Api& api, cuda::Stream before, cuda::Event event, cuda::Stream after) {
  cuda::check(api, api.cuEventRecord(event, before), "cuEventRecord");
  cuda::check(api, api.cuStreamWaitEvent(after, event, 0), "cuStreamWaitEvent");
}

}  // namespace gpuassay
