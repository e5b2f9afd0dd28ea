#include "core/score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/error.h"
#include "core/gpu_names.h"
#include "core/normalize.h"
#include "core/operations.h"
#include "core/score_reference.h"
#include "core/stats.h"
#include "core/workload_reader.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

using test::cpu_device;
using test::network_measurements;

constexpr double kScoredFlopsPerNs = 600, kScoredBytesPerNs = 30;

std::vector<Measurement> together(std::vector<Measurement> first, const std::vector<Measurement>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

Device gpu(int index, const char* capability) {
  Device device = cpu_device(index);
  device.kind = DeviceKind::cuda;
  device.compute_capability = capability;
  return device;
}

double reference(const std::string& workload, WorkloadPrecision precision = WorkloadPrecision::mixed) {
  return reference_samples_per_s(kReferenceGpu, workload, precision).value();
}

TEST(ScoreReferences, EveryWorkloadHasBothPrecisionsWithTheirSource) {
  for (const TracedWorkload& workload : core_workloads()) {
    for (const WorkloadPrecision precision : {WorkloadPrecision::full, WorkloadPrecision::mixed})
      EXPECT_TRUE(reference_samples_per_s(kReferenceGpu, workload.id, precision)) << workload.id;
  }
  EXPECT_TRUE(reference_samples_per_s(kDlperfGpu, "resnet50_train", WorkloadPrecision::mixed));
  EXPECT_FALSE(reference_samples_per_s("T4", "resnet50_train", WorkloadPrecision::mixed));
}

TEST(ScoreReferences, ABrokenTableIsRefused) {
  const std::string header = "gpu,workload,precision,samples_per_s,source\n";
  EXPECT_EQ(parse_score_references(header + "A,b,mixed,1.5,somebody\n").at(0).samples_per_s, 1.5);
  for (const char* row : {"A,b,half,1,c\n", "A,b,full,0,c\n", "A,b,full,x,c\n", "A,b,full,inf,c\n", "A,b,full,,c\n",
                          "A,b,full,1,\n", ",b,full,1,c\n", "A,b,full\n"})
    EXPECT_THROW((void)parse_score_references(header + row), Error) << row;
}

TEST(ScoreRun, IsAGeometricMeanOfClassesAndOfTheirWorkloads) {
  const Score score = score_run({cpu_device()}, network_measurements(kScoredFlopsPerNs, kScoredBytesPerNs));
  ASSERT_TRUE(score.value);
  std::map<WorkloadClass, std::vector<double>> ratios;
  for (const WorkloadScore& each : score.workloads) {
    ASSERT_TRUE(each.samples_per_s) << each.name;
    EXPECT_EQ(each.precision, "fp32");
    EXPECT_NEAR(*each.vs_reference, *each.samples_per_s / reference(each.name), 1e-5 * *each.vs_reference);
    EXPECT_LT(*each.low, *each.samples_per_s);
    EXPECT_GT(*each.high, *each.samples_per_s);
    ratios[each.workload_class].push_back(100 * *each.vs_reference);
  }
  EXPECT_EQ(score.workloads.size(), 8U) << "without 16 bits both precisions are one";
  const auto near = [](std::optional<double> figure, double expected) {
    ASSERT_TRUE(figure);
    EXPECT_NEAR(*figure, expected, 1e-4 * expected);
  };
  near(score.classes.train,
       std::cbrt(ratios[WorkloadClass::train][0] * ratios[WorkloadClass::train][1] * ratios[WorkloadClass::train][2]));
  near(score.classes.decode, std::sqrt(ratios[WorkloadClass::decode][0] * ratios[WorkloadClass::decode][1]));
  near(score.value, std::cbrt(*score.classes.train * *score.classes.prefill * *score.classes.decode));
  near(score.dlperf_2022_equivalent,
       21 * *score.workloads[0].samples_per_s /
           *reference_samples_per_s(kDlperfGpu, "resnet50_train", WorkloadPrecision::mixed));
  EXPECT_EQ(score.version, "2026.1");
}

TEST(ScoreRun, SixteenBitsMakeTheValueAndFullPrecisionStandsBesideIt) {
  const auto full = network_measurements(kScoredFlopsPerNs, kScoredBytesPerNs);
  const auto mixed = together(full, network_measurements(4 * kScoredFlopsPerNs, kScoredBytesPerNs, 0, DType::fp16));
  const Score score = score_run({gpu(0, "7.0")}, mixed);
  ASSERT_EQ(score.workloads.size(), 16U);
  for (std::size_t i = 0; i < 16; i += 2) {
    EXPECT_EQ(score.workloads[i].name, score.workloads[i + 1].name);
    EXPECT_EQ(score.workloads[i].precision, "fp32");
    EXPECT_EQ(score.workloads[i + 1].precision, "fp16");
    EXPECT_NEAR(*score.workloads[i].vs_reference,
                *score.workloads[i].samples_per_s / reference(score.workloads[i].name, WorkloadPrecision::full),
                1e-5 * *score.workloads[i].vs_reference);
  }
  EXPECT_GT(*score.value, *score_run({gpu(0, "7.0")}, full).value);
}

TEST(ScoreRun, SixteenBitsThatAreSlowerCountNothing) {
  const auto full = network_measurements(kScoredFlopsPerNs, kScoredBytesPerNs);
  const auto slow = together(full, network_measurements(kScoredFlopsPerNs / 100, kScoredBytesPerNs, 0, DType::fp16));
  EXPECT_EQ(score_run({gpu(0, "7.0")}, slow).value, score_run({gpu(0, "7.0")}, full).value);
}

TEST(ScoreRun, TwiceAsFastIsTwiceTheScore) {
  const double one = *score_run({cpu_device()}, network_measurements(kScoredFlopsPerNs, kScoredBytesPerNs)).value;
  const double two =
      *score_run({cpu_device()}, network_measurements(2 * kScoredFlopsPerNs, 2 * kScoredBytesPerNs)).value;
  EXPECT_NEAR(two / one, 2, 1e-4);
}

TEST(ScoreRun, DevicesAddUpAndAMissingOneMakesTheWholeUnknown) {
  const auto first = network_measurements(kScoredFlopsPerNs, kScoredBytesPerNs, 0);
  const auto both = together(first, network_measurements(kScoredFlopsPerNs, kScoredBytesPerNs, 1));
  const double one = *score_run({cpu_device(0)}, first).value;
  EXPECT_NEAR(*score_run({cpu_device(0), cpu_device(1)}, both).value, 2 * one, 1e-4 * one);
  const Score half = score_run({cpu_device(0), cpu_device(1)}, first);
  EXPECT_FALSE(half.value);
  ASSERT_EQ(half.per_device.size(), 2u);
  EXPECT_TRUE(half.per_device[0].value);
  EXPECT_FALSE(half.per_device[1].value);
}

TEST(ScoreRun, AWrongResultMakesItUnknown) {
  auto measurements = network_measurements(kScoredFlopsPerNs, kScoredBytesPerNs);
  measurements[5].status = CaseStatus::skipped;
  const Score without = score_run({cpu_device()}, measurements);
  EXPECT_TRUE(without.value) << "one that was not measured is estimated from others";
  EXPECT_LT(without.workloads[0].covered_share, 1);
  measurements[5].status = CaseStatus::wrong_result;
  EXPECT_FALSE(score_run({cpu_device()}, measurements).value);
}

TEST(ScoreRun, NeedsTheTriadAndThreeOfEachKind) {
  auto measurements = network_measurements(kScoredFlopsPerNs, kScoredBytesPerNs);
  auto without_triad = measurements;
  without_triad.pop_back();
  EXPECT_FALSE(score_run({cpu_device()}, without_triad).value);
  int convolutions = 0;
  std::erase_if(measurements,
                [&](const Measurement& each) { return each.workload == Workload::conv && ++convolutions > 2; });
  const Score score = score_run({cpu_device()}, measurements);
  EXPECT_FALSE(score.value);
  EXPECT_FALSE(score.classes.train);
  EXPECT_TRUE(score.classes.decode) << "which has no convolutions";
}

const GemmParams kSquare{DType::fp32, 4096, 4096, 4096, 1};
const BandwidthParams kTriad{BandwidthKernel::triad, MemoryLevel::dram, 1'000'000};

/// Two GPUs of one kind: the first ran everything, the second the square product and the triad, both half as fast.
std::vector<Measurement> twins() {
  auto measurements = network_measurements(kScoredFlopsPerNs, kScoredBytesPerNs, 0);
  measurements.push_back(test::ok_measurement(kSquare, {10e6}, 0));
  measurements.push_back(test::ok_measurement(kSquare, {20e6}, 1));
  measurements.push_back(test::ok_measurement(kTriad, {2 * byte_count(kTriad) / kScoredBytesPerNs}, 1));
  return measurements;
}

TEST(ScoreRun, ATwinTakesTheOperationsOfTheFirstOfItsKind) {
  const Score score = score_run({gpu(0, "3.7"), gpu(1, "3.7")}, twins());
  ASSERT_TRUE(score.value);
  const double first = *score.per_device[0].value;
  EXPECT_NEAR(*score.per_device[1].value, first / 2, 1e-4 * first);
  EXPECT_NEAR(*score.value, 1.5 * first, 1e-4 * first);
}

TEST(ScoreRun, ATwinNeedsItsOwnFiguresAndTheSameKind) {
  const auto all = twins();
  auto no_product = all;
  no_product.erase(no_product.end() - 2);
  EXPECT_FALSE(score_run({gpu(0, "3.7"), gpu(1, "3.7")}, no_product).value) << "no product of its own";
  Device other = gpu(1, "3.7");
  other.name = "another card";
  EXPECT_FALSE(score_run({gpu(0, "3.7"), other}, all).value);
  EXPECT_FALSE(score_run({cpu_device(0), cpu_device(1)}, all).value) << "CPUs have no twins";
  auto failed = all;
  failed.push_back(all.front());
  failed.back().device = 1;
  failed.back().status = CaseStatus::failed;
  EXPECT_FALSE(score_run({gpu(0, "3.7"), gpu(1, "3.7")}, failed).value) << "it tried and failed";
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
