#include "agent/commands/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "agent/commands/end_key.h"
#include "agent/commands/send.h"
#include "agent/floor/cpu_floor_device.h"
#include "agent/floor/cuda_floor_device.h"
#include "agent/floor/verified_run.h"
#include "agent/server_answer.h"
#include "core/enums.h"
#include "core/error.h"
#include "core/floor/claims.h"

namespace gpuassay {
namespace {

/// What each device that can do so would do; GPUs decide on their shapes themselves.
std::vector<FloorWork> works_of(const Result& result, const Machine& machine) {
  std::vector<FloorWork> works;
  for (const Device& device : result.devices) {
    const auto dtype = dtype_to_verify(result, device.index);
    const bool is_cpu = device.kind == DeviceKind::cpu;
    if (!dtype || (!is_cpu && !machine.selections.contains(device.index))) continue;
    works.push_back({device.index, *dtype, is_cpu ? cpu_floor_shape(*dtype, device.memory_bytes) : FloorShape{}});
  }
  return works;
}

std::vector<FloorMember> members_of(const Result& result, const Machine& machine) {
  const std::vector<FloorWork> works = works_of(result, machine);
  std::vector<FloorMember> members;
  members.reserve(works.size());
  for (const FloorWork& work : works) {
    const auto gpu = machine.selections.find(work.device);
    if (gpu == machine.selections.end()) {
      members.push_back({work, [facts = machine.inventory.cpu, work] { return make_cpu_floor_device(facts, work); }});
      continue;
    }
    const CudaSelection& selection = gpu->second;
    FloorMember member{work, [selection, work, devices = works.size()] {
                         return make_measured_cuda_floor_device(selection, work, devices);
                       }};
    if (selection.nvml) member.attestable = AttestableDevice{work.device, *selection.nvml, selection.pci_bus_id};
    members.push_back(std::move(member));
  }
  return members;
}

/// The highest figure that the work of this device is about.
double claimed(const Result& result, const FloorOutcome& outcome) {
  double highest = 0;
  for (const FloorClaim& claim : floor_claims(result)) {
    if (claim.device == outcome.device && claim.dtype == outcome.dtype) highest = std::max(highest, claim.tflop_per_s);
  }
  return highest;
}

std::string outcome_line(const Result& result, const FloorOutcome& outcome) {
  const std::string what = fmt::format("device {} in {}", outcome.device, to_name(outcome.dtype));
  switch (outcome.state) {
    case FloorState::committed:
    case FloorState::checking: return fmt::format("{}: the collector has not checked the work yet", what);
    case FloorState::wrong: return fmt::format("{}: the work was not confirmed: {}", what, shown(outcome.reason));
    case FloorState::right: break;
  }
  constexpr double kPercent = 100;
  const double floor = outcome.floor_tflop_per_s.value_or(0), figure = claimed(result, outcome);
  return fmt::format("{}: the collector saw at least {:.4g} TFLOP/s{}", what, floor,
                     figure > 0 ? fmt::format(", {:.0f} % of the figure", kPercent * floor / figure) : "");
}

std::string attestation_line(const FloorOutcome& outcome) {
  const AttestationOutcome& said = *outcome.attestation;
  if (said.state == AttestationState::verified)
    return fmt::format("device {}: its maker confirms the chip {}", outcome.device, shown(said.chip));
  return fmt::format("device {}: its attestation was not confirmed: {}", outcome.device, shown(said.reason));
}

}  // namespace

std::vector<std::string> verify(const Result& result, const Machine& machine, const CollectorTarget& target,
                                const Environment& environment, Progress& progress) {
  const std::vector<FloorMember> members = members_of(result, machine);
  if (members.empty()) return {"NOT VERIFIED: no device of this run can do work that the collector checks"};
  progress.say("working for the collector, which checks and times it");
  VerifiedRun verified;
  try {
    const CollectorAccess access{target.url, machine_key(environment), target.ca_bundles, target.user_agent,
                                 target.proxy};
    verified = do_verified_run(result.run_id, members, access, upload_world(environment));
  } catch (const Error& error) {
    verified.problem = shown(error.what());
  }
  if (!verified.problem.empty()) return {"NOT VERIFIED: " + verified.problem};
  std::vector<std::string> lines;
  lines.reserve(2 * verified.report.outcomes.size() + verified.notes.size() + 1);
  for (const FloorOutcome& outcome : verified.report.outcomes) {
    lines.push_back(outcome_line(result, outcome));
    if (outcome.attestation) lines.push_back(attestation_line(outcome));
  }
  lines.insert(lines.end(), verified.notes.begin(), verified.notes.end());
  lines.push_back("trust: " + shown(verified.report.trust));
  return lines;
}

}  // namespace gpuassay
