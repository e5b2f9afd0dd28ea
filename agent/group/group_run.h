// A run of several processes as the commands use it.
#pragma once

#include <vector>

#include "agent/environment.h"
#include "agent/group/group_id.h"
#include "agent/group/group_lead.h"
#include "agent/options.h"
#include "agent/progress.h"

namespace gpuassay {

/// What rank 0 holds while it leads.
struct LeadingRun {
  /// Listens from now on. Throws Error{network}.
  explicit LeadingRun(const Launch& of) : launch(of), lead(of), id_line(make_id_line()) {}

  Launch launch;
  GroupLead lead;
  IdLine id_line;
};

/// Throws Error{usage} for options that a run of several processes does not have.
void require_group_options(const RunOptions& options);

/// What each rank measures alone: the two headlines of its GPU, the only device of `machine`.
std::vector<Case> own_cases(const Machine& machine, Profile profile);

/// Waits for the other ranks for half of `budget_s`; the cases of rank 0.
std::vector<Case> gather(LeadingRun& run, const Machine& machine, const Environment& environment, Profile profile,
                         double budget_s, Progress& progress);

/// All ranks measure; see GroupLead::measure.
MeasureOutcome measure_in_group(LeadingRun& run, const std::vector<Case>& cases, const Machine& machine,
                                const MeasureContext& context);

/// All machines of the group, for the document that `begun` becomes.
void put_nodes_into(Result& begun, const LeadingRun& run);

/// What a rank other than 0 does: it measures what it is told and saves nothing. Its exit code is that of rank 0, 2
/// when that refuses it, and 4 when it does not come or goes away.
int follow(const RunOptions& options, const Environment& environment, const Launch& launch);

}  // namespace gpuassay
