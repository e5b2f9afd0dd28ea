#include "agent/group/group_run.h"

#include <fmt/format.h>

#include "agent/case_runner.h"
#include "agent/plan.h"
#include "core/error.h"

namespace gpuassay {

void require_group_options(const RunOptions& options) {
  const auto refuse = [](const char* option) {
    throw Error(ErrorCode::usage,
                fmt::format("{} does not go with a run of several processes; leave it out, or start one "
                            "process by itself",
                            option));
  };
  if (options.repeat > 1) refuse("--repeat");
  if (options.once) refuse("--once");
  if (options.soak_s) refuse("--soak");
  if (options.device != "auto" && options.device != "cuda") refuse("--device");
}

std::vector<Case> own_cases(const Machine& machine, Profile profile) {
  constexpr std::size_t kHeadlines = 2;
  std::vector<Case> cases = plan(machine.inventory, profile);
  cases.resize(kHeadlines);
  return cases;
}

std::vector<Case> gather(LeadingRun& run, const Machine& machine, const Environment& environment, Profile profile,
                         double budget_s, Progress& progress) {
  const double patience_s = budget_s / 2;
  const auto deadline =
      std::chrono::steady_clock::now() +
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(patience_s));
  run.lead.gather(hello_of(run.launch, machine, environment), deadline, patience_s,
                  [&progress](const std::string& line) { progress.warn(line); });
  return run.lead.plan(own_cases(machine, profile), profile);
}

MeasureOutcome measure_in_group(LeadingRun& run, const std::vector<Case>& cases, const Machine& machine,
                                const MeasureContext& context) {
  const GroupMaker join = [&run, &machine] {
    return join_group(group_members(machine).front(), run.launch, run.id_line.child.get());
  };
  return run.lead.measure(cases, case_runner_maker(cases, machine, {}, context.deadline_s, join), run.id_line, context);
}

void put_nodes_into(Result& begun, const LeadingRun& run) {
  begun.nodes = run.lead.nodes();
  for (Node& node : begun.nodes) {
    for (NodeRank& rank : node.ranks) rank.device.simulated = rank.device.simulated || begun.simulated;
  }
  begun.unknown.push_back(
      {"/nodes", "what a machine or a driver does not tell; no identifier of a rank's GPU is collected"});
}

}  // namespace gpuassay
