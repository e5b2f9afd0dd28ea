#include "core/compare.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/rescored.h"
#include "core/score.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

/// A workload of each class that does so many samples per second, `spread` of them more or less, in fp32 alone.
ComparedRun run_of(const ByClass& classes, double spread = 0) {
  ComparedRun run;
  run.score.classes = {classes[0], classes[1], classes[2]};
  run.score.value = std::cbrt(classes[0] * classes[1] * classes[2]);
  const char* names[] = {"resnet50_train", "llm_prefill", "llm_decode_b1"};
  for (std::size_t i = 0; i < kWorkloadClasses; ++i) {
    const double figure = classes[i];
    WorkloadScore row;
    row.name = names[i];
    row.workload_class = static_cast<WorkloadClass>(i);
    row.precision = "fp32";
    row.samples_per_s = figure;
    row.low = figure * (1 - spread);
    row.high = figure * (1 + spread);
    run.score.workloads.push_back(row);
  }
  return run;
}

ComparedPair pair_of_two(const ComparedRun& first, const ComparedRun& second) {
  const Comparison comparison = compare_runs({first, second});
  EXPECT_EQ(comparison.pairs.size(), 1U);
  return comparison.pairs.at(0);
}

TEST(CompareRuns, SaysWhatWeightOfWhichClassMakesTwoEqual) {
  // 2 * 2 / 1.5 is above 1. With logarithms ln 2, ln 2 and -ln 1.5, decode needs w = ln 2 / (ln 2 + ln 1.5).
  const ComparedPair pair = pair_of_two(run_of({20, 20, 10}), run_of({10, 10, 15}));
  EXPECT_EQ(pair.faster, 0U);
  EXPECT_EQ(pair.slower, 1U);
  EXPECT_EQ(pair.class_ratios, (ByClass{2, 2, 0.666667}));
  EXPECT_NEAR(pair.value_ratio, std::cbrt(4 / 1.5), 1e-5);
  EXPECT_FALSE(pair.robust);
  EXPECT_FALSE(pair.same);
  ASSERT_EQ(pair.even_when.size(), 1U);
  EXPECT_EQ(pair.even_when[0].workload_class, WorkloadClass::decode);
  EXPECT_NEAR(pair.even_when[0].weight, 0.63093, 1e-6);
}

TEST(CompareRuns, TheOneGivenLaterMayBeTheFaster) {
  // The first is twice as fast in train and prefill, the second eight times in decode: it wins by the cube root of 2.
  // With logarithms -1, -1 and 3 to the base 2, train needs w = 1 / (1 + 1), and so does prefill.
  const ComparedPair pair = pair_of_two(run_of({20, 20, 10}), run_of({10, 10, 80}));
  EXPECT_EQ(pair.faster, 1U);
  EXPECT_EQ(pair.class_ratios, (ByClass{0.5, 0.5, 8}));
  EXPECT_NEAR(pair.value_ratio, 1.25992, 1e-5);
  ASSERT_EQ(pair.even_when.size(), 2U);
  EXPECT_EQ(pair.even_when[0].workload_class, WorkloadClass::train);
  EXPECT_EQ(pair.even_when[1].workload_class, WorkloadClass::prefill);
  for (const EvenWeight& each : pair.even_when) EXPECT_NEAR(each.weight, 0.5, 1e-6);
}

TEST(CompareRuns, TheSmallestChangeOfWeightsIsFirst) {
  // Logarithms 4, -1 and -2 to the base 2. Prefill: the others' mean is 1, w = 1 / 2. Decode: 1.5, w = 1.5 / 3.5.
  const ComparedPair pair = pair_of_two(run_of({160, 10, 10}), run_of({10, 20, 40}));
  ASSERT_EQ(pair.even_when.size(), 2U);
  EXPECT_EQ(pair.even_when[0].workload_class, WorkloadClass::decode);
  EXPECT_NEAR(pair.even_when[0].weight, 0.428571, 1e-6);
  EXPECT_EQ(pair.even_when[1].workload_class, WorkloadClass::prefill);
  EXPECT_NEAR(pair.even_when[1].weight, 0.5, 1e-6);
}

TEST(CompareRuns, WithThatWeightBothIndexesAreEqual) {
  for (const ByClass& other : {ByClass{3, 17, 9}, ByClass{40, 2, 9}, ByClass{9.9, 10.1, 11}, ByClass{1e-6, 1e6, 1}}) {
    const ComparedRun first = run_of({10, 10, 10});
    for (const EvenWeight& each : pair_of_two(first, run_of(other)).even_when) {
      double sum = 0;
      for (std::size_t i = 0; i < kWorkloadClasses; ++i) {
        const bool heavier = static_cast<WorkloadClass>(i) == each.workload_class;
        sum += (heavier ? each.weight : (1 - each.weight) / 2) * std::log(other[i] / 10);
      }
      EXPECT_NEAR(sum, 0, 1e-4);
      EXPECT_GT(each.weight, 0.333);
      EXPECT_LT(each.weight, 1);
    }
  }
}

TEST(CompareRuns, FasterInEveryClassIsRobust) {
  const ComparedPair pair = pair_of_two(run_of({10, 20, 30}), run_of({11, 22, 33}));
  EXPECT_TRUE(pair.robust);
  EXPECT_TRUE(pair.even_when.empty());
  EXPECT_NEAR(pair.value_ratio, 1.1, 1e-6);
  const ComparedPair equal_in_two = pair_of_two(run_of({10, 20, 30}), run_of({10, 20, 33}));
  EXPECT_TRUE(equal_in_two.robust) << "slower in no class";
}

TEST(CompareRuns, TheSameRunTwiceIsTheSame) {
  const ComparedPair pair = pair_of_two(run_of({10, 20, 30}, 0.1), run_of({10, 20, 30}, 0.1));
  EXPECT_TRUE(pair.same);
  EXPECT_EQ(pair.value_ratio, 1);
  EXPECT_FALSE(pair.robust);
  EXPECT_FALSE(pair.certain);
  EXPECT_TRUE(pair.even_when.empty());
}

TEST(CompareRuns, EqualIndexesOfUnlikeClassesAreNotTheSame) {
  const ComparedPair pair = pair_of_two(run_of({10, 20, 30}), run_of({30, 20, 10}));
  EXPECT_EQ(pair.value_ratio, 1);
  EXPECT_FALSE(pair.same);
  EXPECT_FALSE(pair.robust);
  EXPECT_TRUE(pair.even_when.empty()) << "they are even as it is";
}

TEST(CompareRuns, IsCertainWhenTheRangesDoNotOverlap) {
  // 10 to 11 on one side, 12 less or more 5 % or 10 % on the other: 11.4 is above 11, 10.8 is not.
  const ComparedRun slower = run_of({10, 10, 10}, 0.1);
  EXPECT_TRUE(pair_of_two(slower, run_of({12, 12, 12}, 0.05)).certain);
  EXPECT_FALSE(pair_of_two(slower, run_of({12, 12, 12}, 0.1)).certain);
  ComparedRun without_range = run_of({100, 100, 100});
  without_range.score.workloads[0].low = std::nullopt;
  EXPECT_FALSE(pair_of_two(slower, without_range).certain);
}

TEST(IndexRangeOf, IsAMeanOfClassesAndCountsMixedPrecisionAlone) {
  ComparedRun run = run_of({10, 10, 10});
  // Two workloads in train, one of them four times as fast at best; and a full precision that says anything.
  WorkloadScore second = run.score.workloads[0];
  second.name = "gpt_train";
  second.precision = "fp16";
  second.high = 40;
  WorkloadScore full = second;
  full.precision = "fp32";
  full.low = 0.001;
  run.score.workloads.insert(run.score.workloads.begin() + 1, {full, second});
  const auto range = index_range(run.score);
  ASSERT_TRUE(range);
  EXPECT_NEAR(range->low, 10, 1e-4);
  EXPECT_NEAR(range->high, 10 * std::pow(2, 1.0 / 3), 1e-4) << "twice in one class of three";
}

TEST(CompareRuns, WhatHasNoValueIsInNoPair) {
  ComparedRun unscored = run_of({90, 90, 90});
  unscored.score.value = std::nullopt;
  unscored.score.workloads[2].samples_per_s = std::nullopt;
  const Comparison comparison = compare_runs({unscored, run_of({10, 10, 10}), run_of({20, 20, 20})});
  ASSERT_EQ(comparison.pairs.size(), 1U);
  EXPECT_EQ(comparison.pairs[0].faster, 2U);
  EXPECT_EQ(comparison.best, 2U);
  for (const ComparedWorkload& each : comparison.workloads) EXPECT_EQ(each.samples_per_s.size(), 3U);
  EXPECT_EQ(comparison.workloads[0].ratios[0], 4.5) << "its workloads stand beside the others all the same";
  EXPECT_FALSE(comparison.workloads.back().samples_per_s[0]);
  EXPECT_FALSE(comparison.workloads.back().ratios[0]);
  const Comparison none = compare_runs({unscored, unscored});
  EXPECT_TRUE(none.pairs.empty());
  EXPECT_FALSE(none.best);
}

TEST(CompareRuns, EveryTwoOfThreeAreAPair) {
  const Comparison comparison = compare_runs({run_of({1, 1, 1}), run_of({3, 3, 3}), run_of({2, 2, 2})});
  ASSERT_EQ(comparison.pairs.size(), 3U);
  EXPECT_EQ(comparison.best, 1U);
  EXPECT_EQ(comparison.pairs[2].faster, 1U);
  EXPECT_EQ(comparison.pairs[2].slower, 2U);
  EXPECT_EQ(comparison.pairs[2].value_ratio, 1.5);
}

TEST(CompareRuns, DollarsNeedThePriceOfBoth) {
  ComparedRun slower = run_of({10, 10, 10});
  ComparedRun faster = run_of({20, 20, 20});
  slower.score_per_usd_hour = 40;
  EXPECT_FALSE(pair_of_two(slower, faster).per_usd_hour_ratio);
  faster.score_per_usd_hour = 10;
  EXPECT_EQ(pair_of_two(slower, faster).per_usd_hour_ratio, 0.25) << "the faster one gives less for its price";
}

TEST(CompareRuns, AWorkloadHasARowForEachPrecision) {
  const ComparedRun fp32_alone = run_of({10, 10, 10});
  ComparedRun both = run_of({20, 20, 20});
  WorkloadScore half = both.score.workloads[0];
  half.precision = "fp16";
  half.samples_per_s = 50;
  both.score.workloads.insert(both.score.workloads.begin() + 1, half);
  const Comparison comparison = compare_runs({fp32_alone, both});
  ASSERT_EQ(comparison.workloads.size(), 6U);
  const ComparedWorkload& full = comparison.workloads[0];
  const ComparedWorkload& mixed = comparison.workloads[1];
  EXPECT_EQ(full.precision, WorkloadPrecision::full);
  EXPECT_EQ(full.samples_per_s, (std::vector<std::optional<double>>{10, 20}));
  EXPECT_EQ(mixed.precision, WorkloadPrecision::mixed);
  EXPECT_EQ(mixed.dtypes, (std::vector<std::optional<std::string>>{"fp32", "fp16"}));
  EXPECT_EQ(mixed.samples_per_s, (std::vector<std::optional<double>>{10, 50}));
  EXPECT_EQ(mixed.ratios, (std::vector<std::optional<double>>{0.2, 1}));
}

/// A result with everything that its score needs.
Result measured_result(double speed = 1) {
  Result result = test::example_result();
  result.devices = {test::cpu_device()};
  result.measurements = test::network_measurements(600 * speed, 30 * speed);
  result.price.price_instance_hour_usd = "2.000000";
  return result;
}

ComparedRun compared(const Result& result) { return compared_run(result, rescore(result).score); }

TEST(ComparedRunOf, IsRecomputedAndKeepsTheStoredVersion) {
  Result result = measured_result();
  result.score.version = "0.2";
  result.score.value = 1e6;
  result.simulated = true;
  result.devices.push_back(test::cpu_device(1));
  const auto more = test::network_measurements(600, 30, 1);
  result.measurements.insert(result.measurements.end(), more.begin(), more.end());
  const ComparedRun run = compared(result);
  ASSERT_TRUE(run.score.value);
  EXPECT_LT(*run.score.value, 1e6);
  EXPECT_EQ(run.score.version, kScoreVersion);
  EXPECT_EQ(run.stored_version, "0.2");
  EXPECT_NEAR(run.score_per_usd_hour.value(), *run.score.value / 2, 1e-4 * *run.score.value);
  EXPECT_TRUE(run.simulated);
  EXPECT_EQ(run.machine, "2 x " + result.devices[0].name);
  EXPECT_FALSE(run.unscored_reason);
}

TEST(ComparedRunOf, TwiceAsFastInEverythingIsRobust) {
  const ComparedPair pair = pair_of_two(compared(measured_result()), compared(measured_result(2)));
  EXPECT_EQ(pair.faster, 1U);
  EXPECT_TRUE(pair.robust);
  EXPECT_NEAR(pair.value_ratio, 2, 1e-3);
  EXPECT_NEAR(pair.per_usd_hour_ratio.value(), 2, 1e-3);
}

TEST(ComparedRunOf, SaysWhyThereIsNoIndex) {
  Result nothing = measured_result();
  nothing.measurements.clear();
  const ComparedRun run = compared(nothing);
  EXPECT_FALSE(run.score.value);
  EXPECT_FALSE(run.score_per_usd_hour);
  EXPECT_EQ(run.unscored_reason, "too little was measured to predict resnet50_train and 7 more");
  Result wrong = measured_result();
  wrong.measurements[3].status = CaseStatus::wrong_result;
  EXPECT_EQ(compared(wrong).unscored_reason, "device 0 computed wrong results");
  nothing.devices.clear();
  EXPECT_EQ(compared(nothing).unscored_reason, "no device was measured");
  EXPECT_EQ(compared(nothing).machine, "no device");
}

TEST(Rescored, TellsAChangedScoreFromOneOfAnotherVersion) {
  Result result = measured_result();
  result.score = rescore(result).score;
  EXPECT_FALSE(rescore(result).contradicts_stored);
  result.score.value = *result.score.value + 1;
  EXPECT_TRUE(rescore(result).contradicts_stored);
  result.score.version = "0.2";
  EXPECT_FALSE(rescore(result).contradicts_stored) << "what another version gave is not known here";
}

}  // namespace
}  // namespace gpuassay
