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
  EXPECT_EQ(score.version, "0.2");
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

Device gpu(int index, const char* capability) {
  Device device = cpu_device(index);
  device.kind = DeviceKind::cuda;
  device.compute_capability = capability;
  return device;
}

TEST(TrainChoices, TensorCoresTrainInFp16AtTheSameBatchEverywhere) {
  EXPECT_EQ(train_dtype(gpu(0, "7.0")), DType::fp16);
  EXPECT_EQ(train_dtype(gpu(0, "12.0")), DType::fp16);
  EXPECT_EQ(train_dtype(gpu(0, "6.1")), DType::fp32);
  EXPECT_EQ(train_dtype(cpu_device()), DType::fp32);
  EXPECT_EQ(train_choices(gpu(0, "7.0")).front().batch, 64);
  EXPECT_EQ(train_choices(gpu(0, "3.7")).front().batch, 64);
  EXPECT_EQ(train_choices(cpu_device()).front().batch, 8);
}

TEST(ScoreRun, AGpuWithoutTensorCoresOrFp16IsScoredInFp32) {
  const Score score = score_run({gpu(0, "7.0")}, resnet50_measurements(8, 2e6, 1e5));
  EXPECT_TRUE(score.value);
  EXPECT_EQ(score.workloads.at(0).precision, "fp32");
}

TEST(ScoreRun, ATwinTakesTheOperationsOfTheFirstOfItsKind) {
  const GemmParams square{DType::fp32, 4096, 4096, 4096, 1};
  const BandwidthParams triad{BandwidthKernel::triad, MemoryLevel::dram, 1'000'000};
  auto measurements = resnet50_measurements(64, 2e6, 1e5, 0);
  measurements.push_back(test::ok_measurement(square, {10e6}, 0));
  measurements.push_back(test::ok_measurement(square, {20e6}, 1));
  measurements.push_back(test::ok_measurement(triad, {3e5}, 1));
  const Score score = score_run({gpu(0, "3.7"), gpu(1, "3.7")}, measurements);
  // 161 operations of 2 ms, twice as long on the second; its triad three times.
  const double triad_ns = resnet50_train_elementwise_bytes(DType::fp32, 64) / 3e6 * 1e5;
  const double first = 64e9 / (161 * 2e6 + triad_ns);
  const double second = 64e9 / (161 * 4e6 + 3 * triad_ns);
  ASSERT_TRUE(score.value);
  EXPECT_EQ(score.per_device[0].value, round_significant(100 * first / 1582, 6));
  EXPECT_EQ(score.per_device[1].value, round_significant(100 * second / 1582, 6));
  EXPECT_EQ(score.value, round_significant(100 * (first + second) / 1582, 6));
}

TEST(ScoreRun, ATwinNeedsItsOwnFiguresAndTheSameKind) {
  const GemmParams square{DType::fp32, 4096, 4096, 4096, 1};
  const BandwidthParams triad{BandwidthKernel::triad, MemoryLevel::dram, 1'000'000};
  auto measurements = resnet50_measurements(64, 2e6, 1e5, 0);
  measurements.push_back(test::ok_measurement(square, {10e6}, 0));
  measurements.push_back(test::ok_measurement(triad, {3e5}, 1));
  EXPECT_FALSE(score_run({gpu(0, "3.7"), gpu(1, "3.7")}, measurements).value) << "no GEMM of its own";
  measurements.push_back(test::ok_measurement(square, {20e6}, 1));
  EXPECT_TRUE(score_run({gpu(0, "3.7"), gpu(1, "3.7")}, measurements).value);
  Device other = gpu(1, "3.7");
  other.name = "another card";
  EXPECT_FALSE(score_run({gpu(0, "3.7"), other}, measurements).value);
  EXPECT_FALSE(score_run({cpu_device(0), cpu_device(1)}, measurements).value) << "CPUs have no twins";
  Measurement broken = measurements.front();
  broken.device = 1;
  measurements.push_back(broken);
  EXPECT_FALSE(score_run({gpu(0, "3.7"), gpu(1, "3.7")}, measurements).value) << "it ran some and failed at others";
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
