#include "agent/run_marker.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "agent/run_id.h"

namespace gpuassay {
namespace {

using Json = nlohmann::json;
using Identifier = std::optional<std::string> MachineIdentity::*;

constexpr std::array<std::pair<const char*, Identifier>, 4> kIdentifiers{
    {{"boot", &MachineIdentity::boot},
     {"instance_id", &MachineIdentity::instance_id},
     {"firmware_id", &MachineIdentity::firmware_id},
     {"machine_id", &MachineIdentity::machine_id}}};

constexpr std::array<std::pair<MarkerState, const char*>, 3> kStates{
    {{MarkerState::measuring, "measuring"}, {MarkerState::ended, "ended"}, {MarkerState::in_vain, "in_vain"}}};

std::optional<MarkerState> state_of(const std::string& name) {
  for (const auto& [state, text] : kStates)
    if (name == text) return state;
  return std::nullopt;
}

bool same(const std::optional<std::string>& left, const std::optional<std::string>& right) {
  return left && right && *left == *right;
}

}  // namespace

bool is_same_machine(const MachineIdentity& left, const MachineIdentity& right) {
  for (const Identifier each :
       {&MachineIdentity::instance_id, &MachineIdentity::firmware_id, &MachineIdentity::machine_id})
    if (left.*each && right.*each) return left.*each == right.*each;
  return same(left.boot, right.boot);
}

std::string marker_text(const RunMarker& marker) {
  Json text{{"run_id", marker.run_id}, {"killed_before", marker.killed_before}};
  for (const auto& [state, name] : kStates)
    if (state == marker.state) text["state"] = name;
  for (const auto& [name, member] : kIdentifiers)
    if (marker.identity.*member) text[name] = *(marker.identity.*member);
  return text.dump() + "\n";
}

std::optional<RunMarker> parse_marker(std::string_view text) {
  try {
    const Json document = Json::parse(text);
    RunMarker marker;
    marker.run_id = document.at("run_id").get<std::string>();
    marker.killed_before = document.at("killed_before").get<int>();
    const auto state = state_of(document.at("state").get<std::string>());
    if (!state || !is_run_id(marker.run_id) || marker.killed_before < 0 || marker.killed_before > kMostKilledRuns)
      return std::nullopt;
    marker.state = *state;
    for (const auto& [name, member] : kIdentifiers)
      if (document.contains(name)) marker.identity.*member = document.at(name).get<std::string>();
    return marker;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

OnceDecision decide(OnceScope scope, const std::optional<RunMarker>& last, const MachineIdentity& now) {
  if (!last || !is_same_machine(last->identity, now)) return {};
  const bool same_boot = same(last->identity.boot, now.boot);
  switch (last->state) {
    case MarkerState::ended:
      return {scope == OnceScope::instance || same_boot ? OnceAnswer::already : OnceAnswer::measure, 0};
    case MarkerState::in_vain: return {};
    case MarkerState::measuring: break;
  }
  const int killed = last->killed_before + (same_boot ? 0 : 1);
  return {killed < kMostKilledRuns ? OnceAnswer::measure : OnceAnswer::given_up, killed};
}

}  // namespace gpuassay
