// In which order, and at what modelled time, does queued work happen? Records behind the driver's opaque handles.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/dynlib/cuda_driver.h"
#include "tests/support/fake_gpu/device.h"

namespace gpuassay::fake {

/// A wait for a word of host memory, with a bound.
struct Gate {
  const volatile std::uint32_t* flag = nullptr;
  double timeout_ns = 0;
};

/// One thing a stream does.
struct Operation {
  std::string_view kind = "kernel";  ///< what faults select by: kernel stream compute copy floor gemm conv collective
  double operations = 0;             ///< arithmetic ones, of library calls
  Engine engine = Engine::compute;
  std::function<double(Device&)> duration_ns;
  std::function<void()> effect;  ///< on memory; at submission, as streams keep the order of calls
  std::function<void(double start_ns, double end_ns)> completed;
  std::optional<Gate> gate;
  std::function<void(bool opened)> passed;  ///< the gate
};

/// Work waiting in a stream: an operation, an event to stamp, or an event to wait for.
struct Queued {
  Operation operation;
  double enqueued_ns = 0;
  cuda::EventRecord* record = nullptr;
  cuda::EventRecord* wait = nullptr;
  bool never_completes = false;
};

}  // namespace gpuassay::fake

// The records behind the handles of cuda_driver.h, which only a driver knows.
namespace gpuassay::cuda {

struct ContextRecord {
  int device = 0;
};

struct EventRecord {
  int device = 0;
  bool timed = true;
  bool recorded = false;
  bool pending = false;  ///< queued behind something that has not completed
  double time_ns = 0;
};

struct GraphRecord {
  std::vector<gpuassay::fake::Operation> operations;
  bool invalid = false;  ///< something that cannot be recorded was asked for
};

struct GraphExecRecord {
  std::vector<gpuassay::fake::Operation> operations;
};

struct StreamRecord {
  int device = 0;
  double ready_ns = 0;  ///< when everything drained so far is complete
  std::deque<gpuassay::fake::Queued> queue;
  std::optional<GraphRecord> capture;
};

}  // namespace gpuassay::cuda
