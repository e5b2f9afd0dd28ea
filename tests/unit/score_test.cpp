#include "core/score.h"

#include <gtest/gtest.h>

#include "core/normalize.h"
#include "core/operations.h"
#include "core/resnet50.h"
#include "core/stats.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

using test::cpu_device;
using test::resnet50_measurements;

TEST(PredictResnet50, AddsOperationsTimesCountAndElementwiseTime) {
  // 53 forward, 52 data-gradient and 53 weight-gradient convolutions and 3 GEMMs of 2 ms; triad 1e6*3 bytes in 1e5 ns.
  const WorkloadScore score = predict_resnet50_train(0, DType::fp32, 8, resnet50_measurements(8, 2e6, 1e5));
  const double iteration_ns = 161 * 2e6 + resnet50_train_elementwise_bytes(DType::fp32, 8) / 3e6 * 1e5;
  ASSERT_TRUE(score.samples_per_s);
  EXPECT_NEAR(*score.samples_per_s, 8e9 / iteration_ns, 1e-9);
  EXPECT_EQ(score.covered_share, 1);
  EXPECT_EQ(score.low, score.samples_per_s) << "without spread the range is a point";
}

TEST(PredictResnet50, RangeUsesQuartiles) {
  auto measurements = resnet50_measurements(8, 2e6, 1e5);
  for (auto& m : measurements) m.samples_ns = {m.samples_ns[0] * 0.9, m.samples_ns[0], m.samples_ns[0] * 1.2};
  const WorkloadScore score = predict_resnet50_train(0, DType::fp32, 8, measurements);
  EXPECT_NEAR(*score.low / *score.samples_per_s, 1 / 1.1, 1e-12);
  EXPECT_NEAR(*score.high / *score.samples_per_s, 1 / 0.95, 1e-12);
}

TEST(PredictResnet50, OneMissingOperationMakesItUnknownNotSmaller) {
  auto measurements = resnet50_measurements(8, 2e6, 1e5);
  measurements[5].status = CaseStatus::wrong_result;
  const WorkloadScore score = predict_resnet50_train(0, DType::fp32, 8, measurements);
  EXPECT_FALSE(score.samples_per_s);
  EXPECT_LT(score.covered_share, 1);
  EXPECT_GT(score.covered_share, 0.9);
}

TEST(PredictResnet50, NeedsTheTriad) {
  auto measurements = resnet50_measurements(8, 2e6, 1e5);
  measurements.pop_back();
  EXPECT_FALSE(predict_resnet50_train(0, DType::fp32, 8, measurements).samples_per_s);
}

TEST(ScoreRun, ReferenceIsOneHundred) {
  auto measurements = resnet50_measurements(8, 2e6, 1e5);
  const double images_per_s = *predict_resnet50_train(0, DType::fp32, 8, measurements).samples_per_s;
  const Score score = score_run({cpu_device()}, measurements);
  EXPECT_EQ(score.value, round_significant(100 * images_per_s / 1582.0, 6));
  EXPECT_EQ(score.classes.train, score.value);
  EXPECT_FALSE(score.classes.decode);
  EXPECT_EQ(score.dlperf_2022_equivalent, round_significant(21 * images_per_s / 833.0, 6));
  EXPECT_EQ(score.version, "0.1");
}

TEST(ScoreRun, TakesTheSmallBatchWhenOnlyThatWasMeasured) {
  const Score score = score_run({cpu_device()}, resnet50_measurements(1, 2e6, 1e5));
  EXPECT_TRUE(score.value);
}

TEST(ScoreRun, DevicesAddUpAndAMissingOneMakesTheWholeUnknown) {
  auto measurements = resnet50_measurements(8, 2e6, 1e5, 0);
  const double one = *score_run({cpu_device(0)}, measurements).value;
  const auto second = resnet50_measurements(8, 2e6, 1e5, 1);
  auto both = measurements;
  both.insert(both.end(), second.begin(), second.end());
  EXPECT_NEAR(*score_run({cpu_device(0), cpu_device(1)}, both).value, 2 * one, 1e-5);
  const Score half = score_run({cpu_device(0), cpu_device(1)}, measurements);
  EXPECT_FALSE(half.value);
  ASSERT_EQ(half.per_device.size(), 2u);
  EXPECT_TRUE(half.per_device[0].value);
  EXPECT_FALSE(half.per_device[1].value);
}

TEST(ScoreRun, NothingMeasuredIsUnknownAndSaysWhy) {
  const Score score = score_run({cpu_device()}, {});
  EXPECT_FALSE(score.value);
  bool explained = false;
  for (const Unknown& entry : unknown_parts(score)) explained |= entry.path == "/score/value";
  EXPECT_TRUE(explained);
  EXPECT_FALSE(score_run({}, {}).value);
}

TEST(ScorePerUsdHour, DividesAndNeverByZero) {
  Score score;
  score.value = 100;
  EXPECT_EQ(score_per_usd_hour(score, "1.500000"), 66.6667);
  EXPECT_FALSE(score_per_usd_hour(score, "0.000000"));
  EXPECT_FALSE(score_per_usd_hour(score, std::nullopt));
  EXPECT_FALSE(score_per_usd_hour(Score{}, "1.500000"));
}

}  // namespace
}  // namespace gpuassay
