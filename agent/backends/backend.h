// The one seam between measuring and hardware: a Backend prepares an Operation, the Operation runs, times and
// verifies itself. Implementations: cpu_backend (oneDNN and our own STREAM kernels), and a fake one in tests.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/model.h"

namespace gpuassay {

/// One operation with its operands in place (random normal inputs). Not thread-safe.
class Operation {
 public:
  Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  virtual ~Operation() = default;

  /// Runs the operation `iterations` times back to back, returns when all are complete.
  /// Result: nanoseconds for all iterations by the backend's best clock. Throws Error on failure.
  virtual std::int64_t run_timed_ns(std::int64_t iterations) = 0;

  /// Compares the output of the last run with a float64 host reference at no fewer than 64 sampled positions
  /// (all positions when there are fewer). Never called inside a timed region.
  virtual Verification verify() = 0;

  /// A sample shorter than this is made of several runs, so that what the clock itself costs (tens of ns on a CPU,
  /// half a microsecond for CUDA events) vanishes.
  [[nodiscard]] virtual double min_sample_ns() const { return 200'000; }

  /// Nanoseconds of each operation of the last run, where it timed them one by one: then each is a sample. Else empty.
  [[nodiscard]] virtual std::vector<double> each_ns() const { return {}; }

  /// Name of the implementation the library chose, asked for after the last run; empty when it does not tell.
  [[nodiscard]] virtual std::string algorithm() const { return {}; }

  /// What one run really does, where that had to follow from the machine (a slow disk); empty: as asked for.
  [[nodiscard]] virtual std::optional<OperationParams> performed() const { return std::nullopt; }
};

/// Watches the device while a case is sampled.
class LoadMonitor {
 public:
  LoadMonitor() = default;
  LoadMonitor(const LoadMonitor&) = delete;
  LoadMonitor& operator=(const LoadMonitor&) = delete;
  virtual ~LoadMonitor() = default;
  /// Now; empty when the device tells nothing.
  [[nodiscard]] virtual std::optional<double> temperature_c() const { return std::nullopt; }
  /// Ends the watch; what was seen, empty when the device tells nothing.
  virtual std::optional<GpuTelemetry> stop() = 0;
};

/// A device's clock over some time, as its multiprocessors stamped it.
struct StampedClock {
  double sm_clock_mhz = 0;
  int multiprocessors = 0;  ///< that stamped
};

class ClockWatch {
 public:
  ClockWatch() = default;
  ClockWatch(const ClockWatch&) = delete;
  ClockWatch& operator=(const ClockWatch&) = delete;
  virtual ~ClockWatch() = default;
  /// Since the watch was made; empty where it was too short to say, or the stamps make no sense.
  virtual std::optional<StampedClock> stop() = 0;
};

/// One device's way of running operations. Lives in the worker process only.
class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  /// Allocates operands and compiles the operation. Throws Error: `unsupported` when this device cannot do it,
  /// `out_of_memory`, or `library_failed`.
  virtual std::unique_ptr<Operation> prepare(const OperationParams& params) = 0;

  /// After an error: empty while this process can measure on with the device, else the device's own error, which
  /// every later call here would meet too. `hardware_fault` when the device itself is broken.
  virtual std::optional<Error> fatal_error() { return std::nullopt; }

  /// Starts watching the device; null where there is nothing to watch.
  virtual std::unique_ptr<LoadMonitor> watch() { return nullptr; }

  /// Starts timing the device's own clock, in order with the operations; null where it cannot be stamped.
  virtual std::unique_ptr<ClockWatch> stamp_clock() { return nullptr; }
};

}  // namespace gpuassay
