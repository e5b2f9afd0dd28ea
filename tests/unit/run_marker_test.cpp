#include "agent/run_marker.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace gpuassay {
namespace {

constexpr const char* kRunId = "0190b5a4-7c1d-7b3e-9f00-0123456789ab";

MachineIdentity identity(const char* boot, const char* instance, const char* firmware, const char* machine) {
  const auto known = [](const char* text) { return *text == '\0' ? std::nullopt : std::optional<std::string>(text); };
  return {known(boot), known(instance), known(firmware), known(machine)};
}

RunMarker marker(MarkerState state, int killed_before = 0, MachineIdentity of = identity("b1", "i1", "f1", "m1")) {
  return {std::move(of), kRunId, killed_before, state};
}

const MachineIdentity kSameBoot = identity("b1", "i1", "f1", "m1");
const MachineIdentity kNextBoot = identity("b2", "i1", "f1", "m1");
const MachineIdentity kClone = identity("b2", "i2", "f2", "m1");

TEST(RunMarker, TheMostCertainIdentifierThatBothKnowDecides) {
  EXPECT_TRUE(is_same_machine(identity("", "i1", "f1", "m1"), identity("", "i1", "f2", "m2")));
  EXPECT_FALSE(is_same_machine(identity("", "i1", "f1", "m1"), identity("", "i2", "f1", "m1")));
  EXPECT_TRUE(is_same_machine(identity("", "i1", "f1", "m1"), identity("", "", "f1", "m2")));
  EXPECT_FALSE(is_same_machine(identity("", "", "f1", "m1"), identity("", "i1", "f2", "m1")));
  EXPECT_TRUE(is_same_machine(identity("", "i1", "", "m1"), identity("", "", "f1", "m1")));
  EXPECT_FALSE(is_same_machine(identity("", "i1", "", ""), identity("", "", "f1", "m1")));
  EXPECT_FALSE(is_same_machine({}, {}));
  // The boot of a container is that of the machine below, which has other containers too.
  EXPECT_TRUE(is_same_machine(identity("b1", "", "f1", ""), identity("b1", "i1", "", "")));
  EXPECT_FALSE(is_same_machine(identity("b1", "i1", "", ""), identity("b1", "i2", "", "")));
}

TEST(RunMarker, SurvivesItsOwnText) {
  for (const MarkerState state : {MarkerState::measuring, MarkerState::ended, MarkerState::in_vain}) {
    const RunMarker written = marker(state, 1, identity("b1", "", "f1", ""));
    const auto read = parse_marker(marker_text(written));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->run_id, kRunId);
    EXPECT_EQ(read->killed_before, 1);
    EXPECT_EQ(read->state, state);
    EXPECT_EQ(read->identity.boot, "b1");
    EXPECT_FALSE(read->identity.instance_id);
    EXPECT_EQ(read->identity.firmware_id, "f1");
    EXPECT_FALSE(read->identity.machine_id);
  }
}

TEST(RunMarker, WhatItDidNotWriteIsNoMarker) {
  for (const char* text : {"", "{", "[]", "null", "{}"}) EXPECT_FALSE(parse_marker(text)) << text;
  const auto good = nlohmann::json::parse(marker_text(marker(MarkerState::ended)));
  ASSERT_TRUE(parse_marker(good.dump()));
  const std::vector<std::pair<std::string, nlohmann::json>> changes{
      {"state", "done"},      {"state", nullptr}, {"killed_before", -1}, {"killed_before", 9},
      {"killed_before", "0"}, {"run_id", 1},      {"run_id", "r"},       {"run_id", "../../etc/passwd"},
      {"run_id", "\x1b[2J"},  {"boot", 1}};
  for (const auto& [name, value] : changes) {
    auto changed = good;
    changed[name] = value;
    EXPECT_FALSE(parse_marker(changed.dump())) << changed;
  }
}

TEST(RunMarker, WithoutOneTheMachineIsMeasured) {
  EXPECT_EQ(decide(OnceScope::boot, std::nullopt, kSameBoot).answer, OnceAnswer::measure);
  EXPECT_EQ(decide(OnceScope::instance, std::nullopt, kSameBoot).answer, OnceAnswer::measure);
}

TEST(RunMarker, AFinishedRunCountsForItsBootOrItsInstance) {
  const auto ended = marker(MarkerState::ended);
  EXPECT_EQ(decide(OnceScope::boot, ended, kSameBoot).answer, OnceAnswer::already);
  EXPECT_EQ(decide(OnceScope::boot, ended, kNextBoot).answer, OnceAnswer::measure);
  EXPECT_EQ(decide(OnceScope::boot, ended, kClone).answer, OnceAnswer::measure);
  EXPECT_EQ(decide(OnceScope::instance, ended, kSameBoot).answer, OnceAnswer::already);
  EXPECT_EQ(decide(OnceScope::instance, ended, kNextBoot).answer, OnceAnswer::already);
  EXPECT_EQ(decide(OnceScope::instance, ended, kClone).answer, OnceAnswer::measure);
}

TEST(RunMarker, AMachineThatTellsOnlyItsBootIsKnownByIt) {
  const auto ended = marker(MarkerState::ended, 0, identity("b1", "", "", ""));
  EXPECT_EQ(decide(OnceScope::instance, ended, identity("b1", "", "", "")).answer, OnceAnswer::already);
  EXPECT_EQ(decide(OnceScope::instance, ended, identity("b2", "", "", "")).answer, OnceAnswer::measure);
  EXPECT_EQ(decide(OnceScope::boot, marker(MarkerState::ended, 0, {}), {}).answer, OnceAnswer::measure);
}

TEST(RunMarker, ARunThatTookTheMachineDownIsTriedAgainOnce) {
  for (const OnceScope scope : {OnceScope::boot, OnceScope::instance}) {
    const OnceDecision retry = decide(scope, marker(MarkerState::measuring, 0), kNextBoot);
    EXPECT_EQ(retry.answer, OnceAnswer::measure);
    EXPECT_EQ(retry.killed_before, 1);
    EXPECT_EQ(decide(scope, marker(MarkerState::measuring, 1), kNextBoot).answer, OnceAnswer::given_up);
    // Another machine has not been brought down by it.
    const OnceDecision elsewhere = decide(scope, marker(MarkerState::measuring, 1), kClone);
    EXPECT_EQ(elsewhere.answer, OnceAnswer::measure);
    EXPECT_EQ(elsewhere.killed_before, 0);
  }
}

TEST(RunMarker, ARunThatWasKilledAloneIsTriedAgain) {
  for (const int before : {0, 1}) {
    const OnceDecision again = decide(OnceScope::instance, marker(MarkerState::measuring, before), kSameBoot);
    EXPECT_EQ(again.answer, OnceAnswer::measure);
    EXPECT_EQ(again.killed_before, before);
  }
}

TEST(RunMarker, ARunInVainCountsForNothing) {
  EXPECT_EQ(decide(OnceScope::instance, marker(MarkerState::in_vain, 1), kSameBoot).answer, OnceAnswer::measure);
  EXPECT_EQ(decide(OnceScope::instance, marker(MarkerState::in_vain, 1), kSameBoot).killed_before, 0);
}

}  // namespace
}  // namespace gpuassay
