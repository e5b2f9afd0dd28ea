// Streams, events and the passing of modelled time.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "tests/support/fake_gpu/machine.h"

namespace gpuassay::fake {
namespace {

constexpr int kStreamCaptureUnsupported = 900;
/// From the call to the first instruction on an idle device.
constexpr double kLaunchLatencyNs = 1800;
/// Recording an event, and returning from a wait.
constexpr double kEventCallNs = 500, kWaitCallNs = 800;

bool is_sticky(int code) {
  return code == cuda::kIllegalAddress || code == cuda::kMisalignedAddress || code == cuda::kLaunchFailed ||
         code == cuda::kEccUncorrectable || code == cuda::kIllegalInstruction || code == cuda::kUnknownError;
}

bool selects(const Fault* fault, const Operation& operation) {
  return fault != nullptr && fault->concerns(operation.kind, operation.operations);
}

}  // namespace

void Machine::check_faults(Device& device, const Operation& operation, Queued& queued) {
  ++device.operations;
  constexpr double kLostAfter = 200;
  const Fault* lost = setup.fault("lost", device.ordinal());
  if (lost != nullptr && static_cast<double>(device.operations) > lost->number(kLostAfter)) {
    device.sticky_error = cuda::kUnknownError;
    marks.set("lost", device.ordinal());
    throw Failure{cuda::kUnknownError};
  }
  const Fault* ecc = setup.fault("ecc", device.ordinal());
  if (ecc != nullptr && operation.engine == Engine::compute) {
    marks.set("ecc", device.ordinal());
    if (ecc->value == "fatal") throw Failure{cuda::kEccUncorrectable};
  }
  constexpr double kIllegalAfter = 5000;
  const Fault* illegal = setup.fault("illegal", device.ordinal());
  if (illegal != nullptr && static_cast<double>(device.operations) > illegal->number(kIllegalAfter) &&
      !marks.has("illegal", device.ordinal())) {
    marks.set("illegal", device.ordinal());
    throw Failure{cuda::kIllegalAddress};
  }
  if (selects(setup.fault("crash", device.ordinal()), operation)) std::raise(SIGSEGV);
  queued.never_completes = selects(setup.fault("hang", device.ordinal()), operation);
}

void Machine::submit(cuda::StreamRecord& stream, const Operation& operation, double call_ns) {
  if (stream.capture) {
    if (setup.fault("no_capture", stream.device) != nullptr) {
      stream.capture->invalid = true;
      throw Failure{kStreamCaptureUnsupported};
    }
    stream.capture->operations.push_back(operation);
    return;
  }
  Device& on = device(stream.device);
  host_now_ns += call_ns;
  Queued queued;
  try {
    check_faults(on, operation, queued);
    if (operation.effect) operation.effect();
  } catch (const Failure& failure) {
    if (!is_sticky(failure.code)) throw;
    // The device finds out while it computes: the launch succeeds, the next call says what happened.
    on.sticky_error = failure.code;
    if (failure.code == cuda::kUnknownError) throw;
  }
  queued.operation = operation;
  queued.operation.effect = nullptr;
  queued.enqueued_ns = host_now_ns;
  stream.queue.push_back(std::move(queued));
  drain(stream);
}

void Machine::record(cuda::StreamRecord& stream, cuda::EventRecord& event) {
  if (stream.capture) return;
  host_now_ns += kEventCallNs;
  event.recorded = true;
  event.pending = true;
  Queued queued;
  queued.enqueued_ns = host_now_ns;
  queued.record = &event;
  stream.queue.push_back(std::move(queued));
  drain(stream);
}

void Machine::wait(cuda::StreamRecord& stream, cuda::EventRecord& event) {
  if (stream.capture || !event.recorded) return;
  Queued queued;
  queued.enqueued_ns = host_now_ns;
  queued.wait = &event;
  stream.queue.push_back(std::move(queued));
  drain(stream);
}

void Machine::run(cuda::StreamRecord& stream, const Queued& queued, double earliest_ns) {
  Device& on = device(stream.device);
  const Operation& operation = queued.operation;
  double& engine_ready = on.engine_ready_ns(operation.engine);
  const double start = std::max({earliest_ns, stream.ready_ns, engine_ready});
  const double duration = operation.duration_ns ? operation.duration_ns(on) : 0;
  stream.ready_ns = start + duration;
  engine_ready = stream.ready_ns;
  if (operation.engine == Engine::compute) on.add_busy_ns(duration);
  if (operation.completed) operation.completed(start, stream.ready_ns);
}

/// The first thing in the stream's queue; false when it cannot happen yet.
bool Machine::step(cuda::StreamRecord& stream) {
  Queued& front = stream.queue.front();
  if (front.never_completes) return false;
  if (front.record != nullptr) {
    front.record->time_ns = std::max(stream.ready_ns, front.enqueued_ns);
    front.record->pending = false;
  } else if (front.wait != nullptr) {
    if (front.wait->pending) return false;
    stream.ready_ns = std::max(stream.ready_ns, front.wait->time_ns);
  } else if (front.operation.gate) {
    if (*front.operation.gate->flag == 0) return false;
    stream.ready_ns = std::max(stream.ready_ns, host_now_ns);
    if (front.operation.passed) front.operation.passed(true);
  } else {
    run(stream, front, front.enqueued_ns + kLaunchLatencyNs);
  }
  stream.queue.pop_front();
  return true;
}

bool Machine::drain_all() {
  bool progress = true;
  bool empty = true;
  while (progress) {
    progress = false;
    empty = true;
    for (cuda::StreamRecord* stream : streams_) {
      while (!stream->queue.empty() && step(*stream)) progress = true;
      empty = empty && stream->queue.empty();
    }
  }
  return empty;
}

bool Machine::drain(cuda::StreamRecord& stream) {
  while (!stream.queue.empty() && step(stream)) {
  }
  if (!stream.queue.empty()) drain_all();
  return stream.queue.empty();
}

bool Machine::completed(const cuda::EventRecord& event) {
  if (event.pending) drain_all();
  return !event.pending;
}

/// Lets every waiting gate time out.
void Machine::force_gates() {
  for (cuda::StreamRecord* stream : streams_) {
    if (stream->queue.empty() || !stream->queue.front().operation.gate) continue;
    const Queued front = stream->queue.front();
    stream->ready_ns = std::max(stream->ready_ns, front.enqueued_ns) + front.operation.gate->timeout_ns;
    if (front.operation.passed) front.operation.passed(false);
    stream->queue.pop_front();
  }
}

namespace {

/// Calls `done` until it is true, giving up the lock in between. After as much real time as any gate of the tests
/// waits, `give_up` is called once.
template <class Done, class GiveUp>
void poll(std::unique_lock<std::recursive_mutex>& lock, Done done, GiveUp give_up) {
  constexpr auto kStep = std::chrono::microseconds(200);
  constexpr auto kPatience = std::chrono::milliseconds(100);
  const auto begin = std::chrono::steady_clock::now();
  bool given_up = false;
  while (!done()) {
    if (!given_up && std::chrono::steady_clock::now() - begin > kPatience) {
      given_up = true;
      give_up();
      continue;
    }
    lock.unlock();
    std::this_thread::sleep_for(kStep);
    lock.lock();
  }
}

}  // namespace

void Machine::synchronize(cuda::StreamRecord& stream, std::unique_lock<std::recursive_mutex>& lock) {
  if (stream.capture) throw Failure{kStreamCaptureUnsupported};
  poll(lock, [&] { return drain(stream); }, [&] { force_gates(); });
  host_now_ns = std::max(host_now_ns, stream.ready_ns) + kWaitCallNs;
  current();
}

void Machine::synchronize(Device& device, std::unique_lock<std::recursive_mutex>& lock) {
  const std::set<cuda::StreamRecord*> all = streams_;
  for (cuda::StreamRecord* stream : all) {
    if (stream->device == device.ordinal()) synchronize(*stream, lock);
  }
}

void Machine::synchronize(cuda::EventRecord& event, std::unique_lock<std::recursive_mutex>& lock) {
  poll(lock, [&] { return completed(event); }, [&] { force_gates(); });
  host_now_ns = std::max(host_now_ns, event.time_ns) + kWaitCallNs;
  current();
}

}  // namespace gpuassay::fake
