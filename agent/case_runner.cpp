#include "agent/case_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "agent/backends/cpu_backend.h"
#include "agent/backends/cuda_backend.h"
#include "agent/backends/nccl_backend.h"
#include "agent/measure_case.h"
#include "agent/system_root.h"
#include "core/error.h"
#include "core/operations.h"

namespace gpuassay {
namespace {

/// The backend of each device, made at its first case in the measuring process.
class Backends {
 public:
  Backends(const Machine& machine, HostSelection host, GroupMaker make_group)
      : machine_(machine), host_(std::move(host)), make_group_(std::move(make_group)) {}

  Backend& of(const Case& planned) {
    if (workload_of(planned.params) == Workload::collective) {
      if (!group_) group_ = make_group_();
      return *group_;
    }
    const std::optional<int>& device = planned.device;
    std::unique_ptr<Backend>& backend = backends_[device];
    if (!backend) {
      const auto selection = device ? machine_.selections.find(*device) : machine_.selections.end();
      backend = !device                                  ? make_host_backend(host_)
                : selection == machine_.selections.end() ? make_cpu_backend(machine_.inventory.cpu)
                                                         : make_cuda_backend(within_machine(selection->second));
    }
    return *backend;
  }

 private:
  /// With the other devices and the place for files.
  [[nodiscard]] CudaSelection within_machine(CudaSelection selection) const {
    selection.folder = host_.folder;
    for (const auto& [index, other] : machine_.selections) {
      if (other.ordinal != selection.ordinal) selection.peers[index] = other.ordinal;
    }
    return selection;
  }

  const Machine& machine_;
  HostSelection host_;
  GroupMaker make_group_;
  std::unique_ptr<Backend> group_;  ///< of what all GPUs do together
  std::map<std::optional<int>, std::unique_ptr<Backend>> backends_;
};

Case within(const Case& planned, double left_s) {
  if (planned.regime != Regime::sustained) return planned;
  constexpr double kLeastS = 1, kNsPerS = 1e9;
  Case shorter = planned;
  const double most_s = std::max(left_s - kAroundSoakS, kLeastS);
  shorter.limits.max_time_ns = std::min(planned.limits.max_time_ns, static_cast<std::int64_t>(most_s * kNsPerS));
  return shorter;
}

}  // namespace

std::function<CaseRunner()> case_runner_maker(const std::vector<Case>& cases, const Machine& machine,
                                              HostSelection host, double deadline_s, GroupMaker make_group) {
  if (!make_group) make_group = [&machine] { return make_nccl_backend(group_members(machine)); };
  return [&cases, &machine, host = std::move(host), deadline_s, make_group]() -> CaseRunner {
    const auto backends = std::make_shared<Backends>(machine, host, make_group);
    const CpuTimesReader read_cpu_times = [root = SystemRoot("/")] {
      return parse_cpu_times(root.read_text("/proc/stat").value_or(""));
    };
    return [&cases, backends, read_cpu_times, deadline_s](std::size_t index, const StartSignal& start) -> CaseAnswer {
      try {
        return measure_case(within(cases[index], deadline_s - monotonic_s()), backends->of(cases[index]),
                            read_cpu_times, suspended_ns, start);
      } catch (const Error& error) {  // the device does not open
        return {
            not_measured(cases[index], CaseStatus::failed, fmt::format("{}: {}", name_of(error.code()), error.what())),
            true};
      }
    };
  };
}

}  // namespace gpuassay
