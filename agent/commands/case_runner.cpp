#include "agent/commands/case_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "agent/backends/cpu_backend.h"
#include "agent/backends/cuda_backend.h"
#include "agent/backends/nccl_backend.h"
#include "agent/environment.h"
#include "agent/measure_case.h"
#include "agent/system_root.h"
#include "core/error.h"

namespace gpuassay {
namespace {

/// The backend of each device, made at its first case in the measuring process.
class Backends {
 public:
  Backends(const Machine& machine, GroupMaker make_group) : machine_(machine), make_group_(std::move(make_group)) {}

  Backend& of(const std::optional<int>& device) {
    std::unique_ptr<Backend>& backend = backends_[device];
    if (!backend) {
      const auto selection = device ? machine_.selections.find(*device) : machine_.selections.end();
      backend = !device                                  ? make_group_()
                : selection == machine_.selections.end() ? make_cpu_backend(machine_.inventory.cpu)
                                                         : make_cuda_backend(selection->second);
    }
    return *backend;
  }

 private:
  const Machine& machine_;
  GroupMaker make_group_;
  std::map<std::optional<int>, std::unique_ptr<Backend>> backends_;
};

/// Load that would not end in time ends earlier, so that there is a figure: `left_s` until the run's deadline.
Case within(const Case& planned, double left_s) {
  if (planned.regime != Regime::sustained) return planned;
  constexpr double kLeastS = 1, kNsPerS = 1e9;
  Case shorter = planned;
  const double most_s = std::max(left_s - kAroundSoakS, kLeastS);
  shorter.limits.max_time_ns = std::min(planned.limits.max_time_ns, static_cast<std::int64_t>(most_s * kNsPerS));
  return shorter;
}

}  // namespace

std::function<CaseRunner()> runner_maker(const std::vector<Case>& cases, const Machine& machine, double deadline_s,
                                         GroupMaker make_group) {
  if (!make_group) make_group = [&machine] { return make_nccl_backend(group_members(machine)); };
  return [&cases, &machine, deadline_s, make_group]() -> CaseRunner {
    const auto backends = std::make_shared<Backends>(machine, make_group);
    const CpuTimesReader read_cpu_times = [root = SystemRoot("/")] {
      return parse_cpu_times(root.read_text("/proc/stat").value_or(""));
    };
    return [&cases, backends, read_cpu_times, deadline_s](std::size_t index) -> CaseAnswer {
      try {
        return measure_case(within(cases[index], deadline_s - monotonic_s()), backends->of(cases[index].device),
                            read_cpu_times);
      } catch (const Error& error) {  // the device does not open
        return {
            not_measured(cases[index], CaseStatus::failed, fmt::format("{}: {}", name_of(error.code()), error.what())),
            true};
      }
    };
  };
}

}  // namespace gpuassay
