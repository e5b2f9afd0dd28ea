// The fake driver: streams, events and graphs.
#include <cmath>
#include <optional>
#include <utility>

#include "tests/support/fake_gpu/driver_entry.h"
#include "tests/support/fake_gpu/driver_exports.h"

namespace gpuassay::cuda {
namespace {

constexpr int kCaptureInvalidated = 901;

}  // namespace

using fake::driver_call;
using fake::Failure;
using fake::Lock;
using fake::Machine;
using fake::output;

int cuStreamCreate(Stream* stream, unsigned flags) {
  return driver_call([&](Machine& machine, Lock&) {
    if (flags > kStreamNonBlocking) throw Failure{kInvalidValue};
    output(stream) = machine.create_stream();
  });
}

int cuStreamDestroy_v2(Stream stream) {
  return driver_call([&](Machine& machine, Lock&) { machine.destroy_stream(stream); });
}

int cuStreamSynchronize(Stream stream) {
  return driver_call([&](Machine& machine, Lock& lock) { machine.synchronize(machine.stream(stream), lock); });
}

int cuStreamQuery(Stream stream) {
  return driver_call([&](Machine& machine, Lock&) {
    StreamRecord& asked = machine.stream(stream);
    if (!machine.drain(asked)) throw Failure{kNotReady};
    // Who asks again and again would wait: time passes at once.
    machine.host_now_ns = std::max(machine.host_now_ns, asked.ready_ns);
  });
}

int cuStreamWaitEvent(Stream stream, Event event, unsigned flags) {
  return driver_call([&](Machine& machine, Lock&) {
    if (flags != 0) throw Failure{kInvalidValue};
    machine.wait(machine.stream(stream), machine.checked(event));
  });
}

int cuEventCreate(Event* event, unsigned flags) {
  return driver_call([&](Machine& machine, Lock&) {
    auto record = std::make_unique<EventRecord>();
    record->device = machine.current().ordinal();
    record->timed = (flags & kEventDisableTiming) == 0;
    output(event) = machine.adopt(std::move(record));
  });
}

int cuEventDestroy_v2(Event event) {
  return driver_call([&](Machine& machine, Lock&) {
    // Still queued behind something that never completes: the record must stay.
    if (!machine.checked(event).pending) machine.release(event);
  });
}

int cuEventRecord(Event event, Stream stream) {
  return driver_call([&](Machine& machine, Lock&) {
    StreamRecord& on = machine.stream(stream);
    EventRecord& record = machine.checked(event);
    if (record.device != on.device) throw Failure{kInvalidHandle};
    machine.record(on, record);
  });
}

int cuEventQuery(Event event) {
  return driver_call([&](Machine& machine, Lock&) {
    EventRecord& record = machine.checked(event);
    machine.current();
    if (!machine.completed(record)) throw Failure{kNotReady};
    machine.host_now_ns = std::max(machine.host_now_ns, record.time_ns);
  });
}

int cuEventSynchronize(Event event) {
  return driver_call([&](Machine& machine, Lock& lock) { machine.synchronize(machine.checked(event), lock); });
}

int cuEventElapsedTime(float* milliseconds, Event start, Event end) {
  return driver_call([&](Machine& machine, Lock&) {
    const EventRecord& first = machine.checked(start);
    const EventRecord& second = machine.checked(end);
    machine.current();
    if (!first.timed || !second.timed || !first.recorded || !second.recorded) throw Failure{kInvalidHandle};
    if (!machine.completed(first) || !machine.completed(second)) throw Failure{kNotReady};
    constexpr double kStepNs = 500, kNsPerMs = 1e6;
    const double steps = std::floor(second.time_ns / kStepNs) - std::floor(first.time_ns / kStepNs);
    output(milliseconds) = static_cast<float>(steps * kStepNs / kNsPerMs);
  });
}

int cuStreamBeginCapture_v2(Stream stream, int mode) {
  return driver_call([&](Machine& machine, Lock&) {
    if (stream == nullptr) throw Failure{900};  // the default stream cannot be captured
    if (mode < kCaptureGlobal || mode > kCaptureRelaxed) throw Failure{kInvalidValue};
    StreamRecord& record = machine.checked(stream);
    if (record.capture) throw Failure{kInvalidValue};
    record.capture.emplace();
  });
}

int cuStreamEndCapture(Stream stream, Graph* graph) {
  return driver_call([&](Machine& machine, Lock&) {
    StreamRecord& record = machine.checked(stream);
    if (!record.capture) throw Failure{kInvalidValue};
    const GraphRecord captured = *std::exchange(record.capture, std::nullopt);
    if (captured.invalid) throw Failure{kCaptureInvalidated};
    output(graph) = machine.adopt(std::make_unique<GraphRecord>(captured));
  });
}

int cuGraphInstantiateWithFlags(GraphExec* exec, Graph graph, unsigned long long /*flags*/) {
  return driver_call([&](Machine& machine, Lock&) {
    auto record = std::make_unique<GraphExecRecord>();
    record->operations = machine.checked(graph).operations;
    output(exec) = machine.adopt(std::move(record));
  });
}

int cuGraphInstantiate_v2(GraphExec* exec, Graph graph, GraphNode* /*error_node*/, char* /*log*/,
                          std::size_t /*log_bytes*/) {
  return cuGraphInstantiateWithFlags(exec, graph, 0);
}

int cuGraphLaunch(GraphExec exec, Stream stream) {
  return driver_call([&](Machine& machine, Lock&) {
    StreamRecord& on = machine.stream(stream);
    machine.host_now_ns += Machine::kLaunchCallNs;
    for (const fake::Operation& operation : machine.checked(exec).operations) machine.submit(on, operation, 0);
  });
}

int cuGraphExecDestroy(GraphExec exec) {
  return driver_call([&](Machine& machine, Lock&) { machine.release(exec); });
}

/// The number of nodes alone: nobody asks for the nodes themselves.
int cuGraphGetNodes(Graph graph, GraphNode* nodes, std::size_t* count) {
  return driver_call([&](Machine& machine, Lock&) {
    if (nodes != nullptr) throw Failure{kNotSupported};
    output(count) = machine.checked(graph).operations.size();
  });
}

int cuGraphDestroy(Graph graph) {
  return driver_call([&](Machine& machine, Lock&) { machine.release(graph); });
}

}  // namespace gpuassay::cuda
