#include "agent/assemble.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "agent/exit_code.h"
#include "agent/journal_record.h"
#include "agent/run_id.h"
#include "core/error.h"
#include "core/result_json.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

constexpr const char* kRunId = "0190b5a4-7c1d-7b3e-9f00-0123456789ab";

Inventory inventory() {
  Inventory machine;
  machine.devices = {test::cpu_device()};
  machine.uptime_s = 12.5;
  machine.unknown = {{"/host", "not looked at"}, {"/platform", "not looked at"}, {"/devices/0", "a CPU has none"}};
  return machine;
}

RunStart start() {
  RunStart start;
  start.run_id = kRunId;
  start.started_at = "2026-11-20T13:00:00.000Z";
  start.profile = Profile::quick;
  start.agent = {"0.1.0", "abc", "", "test"};
  return start;
}

RunEnd good_end() { return {test::network_measurements(600, 30), {}, "2026-11-20T13:01:00.000Z", 60}; }

/// Pointers of all null leaves.
void collect_nulls(const nlohmann::json& node, const std::string& pointer, std::vector<std::string>& nulls) {
  if (node.is_null()) nulls.push_back(pointer);
  if (node.is_object()) {
    for (const auto& [key, value] : node.items()) collect_nulls(value, pointer + "/" + key, nulls);
  }
  if (node.is_array()) {
    for (std::size_t i = 0; i < node.size(); ++i) collect_nulls(node[i], pointer + "/" + std::to_string(i), nulls);
  }
}

void expect_every_null_explained(const Result& result) {
  std::vector<std::string> nulls;
  collect_nulls(to_json(result), "", nulls);
  for (const std::string& pointer : nulls) {
    bool explained = false;
    for (const Unknown& entry : result.unknown) {
      explained |= pointer == entry.path || pointer.starts_with(entry.path + "/");
    }
    EXPECT_TRUE(explained) << pointer;
  }
}

TEST(FinishResult, ACompleteRunIsScoredAndPriced) {
  RunStart priced = start();
  priced.price_instance_hour_usd = "0.600000";
  const Result result = finish_result(begin_result(priced, inventory()), good_end());
  EXPECT_EQ(result.status, RunStatus::complete);
  ASSERT_TRUE(result.score.value);
  EXPECT_EQ(result.run_cost_usd, "0.010000");  // a minute of 0.60 USD an hour
  EXPECT_NEAR(*result.score_per_usd_hour, *result.score.value / 0.6, 1e-5);
  EXPECT_EQ(result.price.match_level, "user");
  EXPECT_EQ(result.boot_to_start_s, 12.5);
  EXPECT_EQ(result.agent.profile, "quick");
  expect_every_null_explained(result);
}

TEST(FinishResult, EveryNullIsExplainedWhateverIsMissing) {
  Inventory nothing_known = inventory();
  nothing_known.uptime_s.reset();
  RunEnd empty{{}, {{"budget", "none reached", std::nullopt}}, "2026-11-20T13:01:00.000Z", 60};
  expect_every_null_explained(finish_result(begin_result(start(), nothing_known), empty));
  expect_every_null_explained(finish_result(begin_result(start(), nothing_known), good_end()));
  RunEnd one_wrong = good_end();
  one_wrong.raw_measurements[0].status = CaseStatus::wrong_result;
  one_wrong.raw_measurements[0].reason = "wrong_result: x";
  expect_every_null_explained(finish_result(begin_result(start(), inventory()), one_wrong));
}

TEST(FinishResult, SaysHowMuchOfTheRunMeasured) {
  const Result begun = begin_result(start(), inventory());
  RunEnd end = good_end();
  EXPECT_FALSE(finish_result(begun, end).time_use) << "nobody knows";
  end.measuring_s = 54;
  end.preparing_s = 4.5;
  const auto use = finish_result(begun, end).time_use;
  ASSERT_TRUE(use);
  EXPECT_EQ(use->measuring_s, 54);
  EXPECT_EQ(use->preparing_s, 4.5);
  EXPECT_EQ(use->non_measuring_fraction, 0.1) << "preparing is not measuring";
  end.measuring_s = 61;  // the clocks of two processes
  EXPECT_EQ(finish_result(begun, end).time_use->non_measuring_fraction, 0);
  EXPECT_EQ(finish_result(begun, end).time_use->preparing_s, 0);
}

TEST(FinishResult, StatusFollowsFromCasesAndReasons) {
  const Result begun = begin_result(start(), inventory());
  RunEnd cut = good_end();
  cut.reasons = {{"budget", "x", std::nullopt}};
  EXPECT_EQ(finish_result(begun, cut).status, RunStatus::partial);
  RunEnd one_failed = good_end();
  one_failed.raw_measurements[3].status = CaseStatus::failed;
  EXPECT_EQ(finish_result(begun, one_failed).status, RunStatus::partial);
  RunEnd one_skipped = good_end();
  one_skipped.raw_measurements.push_back(test::example_result().measurements.back());
  EXPECT_EQ(finish_result(begun, one_skipped).status, RunStatus::complete);
  EXPECT_EQ(finish_result(begun, RunEnd{}).status, RunStatus::failed);
}

TEST(FinishResult, SuspiciousThingsGetAVerdictWithARemedy) {
  RunEnd end = good_end();
  end.raw_measurements[0].status = CaseStatus::wrong_result;
  end.raw_measurements[1].status = CaseStatus::failed;
  for (auto& m : end.raw_measurements) {
    m.telemetry->steal_fraction = 0.3;
    m.samples_ns = {1e6 * 2, 1.5e6 * 2, 3e6 * 2};
  }
  const Result result = finish_result(begin_result(start(), inventory()), end);
  std::vector<std::string> codes;
  for (const Verdict& verdict : result.verdicts) {
    codes.push_back(verdict.code);
    EXPECT_FALSE(verdict.remedy.empty());
  }
  EXPECT_EQ(codes, (std::vector<std::string>{"wrong_result", "case_failed", "contended", "noisy"}));
}

TEST(ExitCode, FollowsTheContract) {
  const Result begun = begin_result(start(), inventory());
  const Result good = finish_result(begun, good_end());
  EXPECT_EQ(exit_code_for(good, {true, false}), 0);
  EXPECT_EQ(exit_code_for(good, {false, false}), 6);
  EXPECT_EQ(exit_code_for(good, {true, true}), 6);
  EXPECT_EQ(exit_code_for(good, {true, false, true}), 7);
  EXPECT_EQ(exit_code_for(good, {false, false, true}), 6);
  RunEnd end = good_end();
  end.reasons = {{"interrupted", "x", std::nullopt}};
  EXPECT_EQ(exit_code_for(finish_result(begun, end), {true, false}), 4);
  EXPECT_EQ(exit_code_for(finish_result(begun, end), {true, false, true}), 7);
  EXPECT_EQ(exit_code_for(finish_result(begun, end), {false, false}), 6);
  end.raw_measurements[0].status = CaseStatus::wrong_result;
  EXPECT_EQ(exit_code_for(finish_result(begun, end), {false, false}), 5);
  EXPECT_EQ(exit_code_for(finish_result(begun, end), {false, false, true}), 5);
  RunEnd broken = good_end();
  broken.reasons = {{"hardware_fault", "GPU 0: 1 uncorrectable memory error was counted", 0}};
  const Result faulty = finish_result(begun, broken);
  EXPECT_EQ(exit_code_for(faulty, {true, false}), 5);
  ASSERT_FALSE(faulty.verdicts.empty());
  EXPECT_EQ(faulty.verdicts[0].code, "hardware_fault");
  EXPECT_EQ(faulty.verdicts[0].device, 0);
  RunEnd all_skipped = good_end();
  for (auto& m : all_skipped.raw_measurements) m.status = CaseStatus::skipped;
  EXPECT_EQ(exit_code_for(finish_result(begun, all_skipped), {true, false}), 3);
  all_skipped.reasons = {{"budget", "x", std::nullopt}};
  EXPECT_EQ(exit_code_for(finish_result(begun, all_skipped), {true, false}), 4);
}

TEST(ExitCode, OfErrors) {
  EXPECT_EQ(exit_code_for(Error(ErrorCode::usage, "")), 2);
  EXPECT_EQ(exit_code_for(Error(ErrorCode::unreadable_input, "")), 2);
  EXPECT_EQ(exit_code_for(Error(ErrorCode::nothing_measurable, "")), 3);
  EXPECT_EQ(exit_code_for(Error(ErrorCode::not_saved, "")), 6);
  EXPECT_EQ(exit_code_for(Error(ErrorCode::internal, "")), 70);
}

TEST(Journal, AKilledRunBecomesAPartialResult) {
  const auto measurements = test::network_measurements(600, 30);
  const Result begun = begin_result(start(), inventory());
  std::vector<std::string> lines{journal_first_line(begun)};
  for (int i = 0; i < 10; ++i) lines.push_back(journal_case_line(measurements[static_cast<std::size_t>(i)], i + 1.5));
  const Result result = result_of_killed_run(kRunId, lines);
  EXPECT_EQ(result.status, RunStatus::partial);
  EXPECT_EQ(result.measurements.size(), 10u);
  EXPECT_EQ(result.duration_s, 10.5);
  EXPECT_EQ(result.finished_at, "2026-11-20T13:00:10.500Z");
  EXPECT_EQ(result.reasons.at(0).code, "killed");
  EXPECT_EQ(result.measurements[0].median_ns, measurements[0].samples_ns[0]);
  expect_every_null_explained(result);
}

TEST(Journal, AWholeRunKilledBeforeSavingKeepsItsScore) {
  const Result begun = begin_result(start(), inventory());
  std::vector<std::string> lines{journal_first_line(begun)};
  for (const auto& m : test::network_measurements(600, 30)) lines.push_back(journal_case_line(m, 1));
  EXPECT_EQ(result_of_killed_run(kRunId, lines).score.value, finish_result(begun, good_end()).score.value);
}

TEST(Journal, DamagedLinesAreLeftOutAndCounted) {
  const auto measurement = test::network_measurements(600, 30)[0];
  const std::string good = journal_case_line(measurement, 1);
  const std::string first = journal_first_line(begin_result(start(), inventory()));
  const std::string late = R"({"elapsed_s":1e300,)" + good.substr(good.find("\"measurement\""));
  for (const std::string& bad :
       {std::string("{"), good.substr(0, good.size() / 2), std::string("[]"), std::string(), late}) {
    const Result result = result_of_killed_run(kRunId, {first, good, bad});
    EXPECT_EQ(result.measurements.size(), 1u) << bad;
    EXPECT_NE(result.reasons.at(0).message.find("1 lines were unreadable"), std::string::npos);
  }
}

TEST(Journal, WithoutItsFirstLineItIsUnreadable) {
  EXPECT_THROW(result_of_killed_run(kRunId, {}), Error);
  EXPECT_THROW(result_of_killed_run(kRunId, {"{}"}), Error);
  const std::string first = journal_first_line(begin_result(start(), inventory()));
  EXPECT_THROW(result_of_killed_run("0190b5a4-7c1d-7b3e-9f00-000000000000", {first}), Error);
}

TEST(RunId, IsAUuidVersion7OfTheTime) {
  EXPECT_EQ(uuid_v7(0x0190b5a47c1d, {0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4, 5, 6}),
            "0190b5a4-7c1d-7fff-bfff-010203040506");
  EXPECT_NE(new_run_id(0), new_run_id(0));
}

}  // namespace
}  // namespace gpuassay
