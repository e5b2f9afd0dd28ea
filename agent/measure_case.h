// Measures one case on one backend: prepare, warm up, sample until the stopping rule says so, verify.
// Runs in the worker process.
#pragma once

#include <functional>
#include <optional>

#include "agent/backends/backend.h"
#include "core/model.h"

namespace gpuassay {

/// CPU time of the whole machine since boot, in clock ticks.
struct CpuTimes {
  double total_ticks = 0;
  double steal_ticks = 0;
};
/// Reads CpuTimes now; empty when the system does not tell.
using CpuTimesReader = std::function<std::optional<CpuTimes>()>;

/// For how long the machine has been suspended since boot: CLOCK_BOOTTIME goes on then and CLOCK_MONOTONIC does not.
/// Nanoseconds.
using SuspendedReader = std::function<std::int64_t()>;
std::int64_t suspended_ns();

/// Parses the first line of /proc/stat.
std::optional<CpuTimes> parse_cpu_times(std::string_view proc_stat);

/// Called by a case of a group once it is warm: returns when every other of the group is.
using StartSignal = std::function<void()>;

/// What a case that was measured took of the run's time; waiting for others to be warm is neither.
struct CaseTime {
  double preparing_s = 0;  ///< operands, and which algorithm is fastest
  double measuring_s = 0;  ///< warming up, sampling, verifying
};

/// What a case gave, and whether the process that measured it can measure another one.
struct CaseAnswer {
  Measurement measurement;
  /// The device's context died with the case: every later call in this process would fail too.
  bool process_spent = false;
  CaseTime time = {};  ///< nothing of a case without samples
};

/// Never throws: what goes wrong becomes the status and reason of the measurement (`unsupported` and
/// `out_of_memory` are skipped, a failed verification is wrong_result, everything else failed). When the backend's
/// process is spent, its own error is the reason: it says more than the library in which it came up. A machine that was
/// suspended while it sampled, as by a hypervisor that moved it, wakes up with cold caches and clocks: the samples are
/// thrown away and taken once more, and the second time the case has failed.
/// samples_ns are nanoseconds per operation, thinned, six significant digits; median and metric are left to
/// normalize().
CaseAnswer measure_case(const Case& planned, Backend& backend, const CpuTimesReader& read_cpu_times,
                        const SuspendedReader& read_suspended_ns = suspended_ns,
                        const StartSignal& when_all_are_warm = {});

/// `planned` not measured, and why; `reason` is "code: message".
Measurement not_measured(const Case& planned, CaseStatus status, const std::string& reason);

}  // namespace gpuassay
