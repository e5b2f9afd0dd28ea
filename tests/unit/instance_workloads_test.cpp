#include "core/instance_workloads.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/loaded_times.h"
#include "core/normalize.h"
#include "core/operation_times.h"
#include "core/operations.h"
#include "core/score.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

using test::network_measurements;
using test::ok_measurement;

constexpr std::int64_t kMebibyte = std::int64_t{1} << 20U;
constexpr double kFlopsPerNs = 10'000, kBytesPerNs = 500;
const GemmParams kSquareProduct{DType::fp32, 4096, 4096, 4096, 1};
const BandwidthParams kTriadOfMegabyte{BandwidthKernel::triad, MemoryLevel::dram, 1'000'000};

/// A card that no table has, so that nothing but the measurements below makes a step: it takes as many times as long as
/// they do.
Device card(int index) {
  Device device;
  device.index = index;
  device.kind = DeviceKind::cuda;
  device.name = "Imagined 1";
  device.compute_capability = "3.7";
  return device;
}

std::vector<Device> cards(int count) {
  std::vector<Device> devices;
  devices.reserve(static_cast<std::size_t>(count));
  for (int index = 0; index < count; ++index) devices.push_back(card(index));
  return devices;
}

Measurement under_load(Measurement m, double factor) {
  m.regime = Regime::sustained;
  for (double& sample_ns : m.samples_ns) sample_ns *= factor;
  return m;
}

/// One card `slowness` times as slow as others, whose operations take `under_load_factor` times as long under load.
void add_card(std::vector<Measurement>& all, int index, double slowness, double under_load_factor) {
  std::vector<Measurement> own = network_measurements(kFlopsPerNs / slowness, kBytesPerNs / slowness, index);
  own.push_back(ok_measurement(kSquareProduct, {1e7 * slowness}, index));
  const auto convolution =
      std::find_if(own.begin(), own.end(), [](const Measurement& m) { return m.workload == Workload::conv; });
  const auto triad = std::find_if(own.begin(), own.end(), [](const Measurement& m) { return is_triad(m.params); });
  const std::vector<Measurement> loads{under_load(own.back(), under_load_factor),
                                       under_load(*convolution, under_load_factor),
                                       under_load(*triad, under_load_factor)};
  all.insert(all.end(), own.begin(), own.end());
  all.insert(all.end(), loads.begin(), loads.end());
}

/// An all-reduce takes `overhead_ns` and `ns_per_byte`.
void add_all_reduces(std::vector<Measurement>& all, std::int64_t ranks, double overhead_ns, double ns_per_byte) {
  for (const std::int64_t bytes : {kMebibyte, 64 * kMebibyte}) {
    const CollectiveParams params{CollectiveKind::all_reduce, DType::fp32, bytes, ranks, CollectiveMode::bandwidth};
    all.push_back(ok_measurement(params, {overhead_ns + ns_per_byte * static_cast<double>(bytes)}));
    all.back().device.reset();
  }
}

std::vector<Measurement> equal_cards(int count, double under_load_factor) {
  std::vector<Measurement> all;
  for (int index = 0; index < count; ++index) add_card(all, index, 1, under_load_factor);
  return all;
}

InstanceStep step_called(const std::vector<InstanceStep>& steps, const std::string& name) {
  const auto found =
      std::find_if(steps.begin(), steps.end(), [&](const InstanceStep& step) { return step.workload->id == name; });
  EXPECT_NE(found, steps.end()) << name;
  return *found;
}

InstanceWorkload row_called(const std::vector<InstanceWorkload>& rows, const std::string& name) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.name == name; });
  EXPECT_NE(found, rows.end()) << name;
  return *found;
}

/// What the score says one device does alone, in nanoseconds of a step.
double alone_ns(const std::vector<Measurement>& all, const std::string& name, int count) {
  for (const WorkloadScore& row : score_run(cards(count), all).workloads) {
    if (row.name == name) return count * static_cast<double>(row.batch) * 1e9 / row.samples_per_s.value_or(0);
  }
  return 0;
}

constexpr double kDigits = 1e-5;

TEST(InstanceWorkloads, OneDeviceHasNone) {
  EXPECT_TRUE(instance_workloads({}, {}).empty());
  EXPECT_TRUE(instance_workloads(cards(1), equal_cards(1, 1)).empty());
  EXPECT_TRUE(summarize(cards(1), equal_cards(1, 1)).instance.workloads.empty());
}

TEST(InstanceWorkloads, TwoCardsWaitForTheLastBucketOfResnet) {
  auto all = equal_cards(2, 1.25);
  add_all_reduces(all, 2, 10'000, 0.01);
  const InstanceStep step = step_called(instance_steps(cards(2), all), "resnet50_train");
  ASSERT_TRUE(step.known()) << step.unknown_because;
  const double own_ns = alone_ns(all, "resnet50_train", 2);
  ASSERT_GT(own_ns, 1e7);
  EXPECT_NEAR(step.slowest_alone_ns, own_ns, kDigits * own_ns);
  EXPECT_NEAR(step.slowest_ns, 1.25 * own_ns, kDigits * own_ns) << "all of it takes as much longer as its headlines";
  // 22,536,352 bytes at 0.01 ns each after 10,000; the others take less than backward.
  const double exposed_ns = 235'363.52;
  EXPECT_NEAR(step.exchange->exposed_ns, exposed_ns, 1e-3);
  EXPECT_NEAR(step.samples_per_s, 2 * 64 * 1e9 / (1.25 * own_ns + exposed_ns), kDigits * step.samples_per_s);
  EXPECT_LT(step.low, step.samples_per_s);
  EXPECT_GT(step.high, step.samples_per_s);
  const InstanceWorkload row = row_called(instance_workloads(cards(2), all), "resnet50_train");
  EXPECT_NEAR(*row.scaling_efficiency, own_ns / (1.25 * own_ns + exposed_ns), kDigits);
  EXPECT_NEAR(*row.exposed_communication_share, exposed_ns / (1.25 * own_ns + exposed_ns), kDigits);
  EXPECT_EQ(row.slowest_device, 0);
  EXPECT_FALSE(row.reason);
}

TEST(InstanceWorkloads, ASlowExchangeIsHiddenAsLongAsBackwardLasts) {
  auto all = equal_cards(8, 1);
  add_all_reduces(all, 8, 0, 1);
  const InstanceStep step = step_called(instance_steps(cards(8), all), "bert_large_train");
  ASSERT_TRUE(step.known()) << step.unknown_because;
  const double before_ns = static_cast<double>(kMebibyte) + 46.0 * 25 * static_cast<double>(kMebibyte);
  const double last_ns = 127'877'120;
  ASSERT_LT(step.exchange->backward_ns, before_ns);
  EXPECT_GT(step.exchange->backward_ns, 0.5 * step.slowest_ns) << "backward is most of a step";
  EXPECT_LT(step.exchange->backward_ns, 0.75 * step.slowest_ns);
  const double exposed_ns = before_ns - step.exchange->backward_ns + last_ns;
  EXPECT_NEAR(step.exchange->exposed_ns, exposed_ns, kDigits * exposed_ns);
  EXPECT_NEAR(step.samples_per_s, 8 * 8 * 1e9 / (step.slowest_ns + exposed_ns), kDigits * step.samples_per_s);
  EXPECT_NEAR(step.low, 8 * 8 * 1e9 / (1.15 * step.slowest_ns + before_ns + last_ns), 0.01 * step.low)
      << "nothing overlaps";
}

TEST(InstanceWorkloads, AllWaitForTheSlowestCardInTrainingAndNoneInInference) {
  std::vector<Measurement> all;
  for (const int index : {0, 1, 2, 3}) add_card(all, index, index == 2 ? 2 : 1, 1);
  add_all_reduces(all, 4, 1'000, 0.001);
  const auto steps = instance_steps(cards(4), all);
  const InstanceStep training = step_called(steps, "gpt_train");
  EXPECT_EQ(training.slowest_device, 2);
  const double fast_ns = training.slowest_alone_ns / 2;
  EXPECT_NEAR(training.slowest_ns, 2 * fast_ns, kDigits * fast_ns);
  EXPECT_NEAR(training.alone_samples_per_s, 3.5 * 4 * 1e9 / fast_ns, kDigits * training.alone_samples_per_s);
  EXPECT_NEAR(training.samples_per_s, 4 * 4 * 1e9 / (2 * fast_ns + training.exchange->exposed_ns),
              kDigits * training.samples_per_s);
  const InstanceStep inference = step_called(steps, "llm_decode_b32");
  EXPECT_NEAR(inference.samples_per_s, inference.alone_samples_per_s, kDigits * inference.samples_per_s);
  EXPECT_FALSE(inference.exchange);
}

TEST(InstanceWorkloads, ACardThatGetsSlowOnlyUnderLoadIsTheSlowest) {
  std::vector<Measurement> all;
  for (const int index : {0, 1, 2}) add_card(all, index, 1, index == 1 ? 1.5 : 1.1);
  add_all_reduces(all, 3, 1'000, 0.001);
  const InstanceWorkload row = row_called(instance_workloads(cards(3), all), "resnet50_train");
  EXPECT_EQ(row.slowest_device, 1);
  EXPECT_NEAR(*row.scaling_efficiency, 1 / 1.5, 0.01);
  const InstanceWorkload replicas = row_called(instance_workloads(cards(3), all), "resnet50_infer");
  EXPECT_NEAR(*replicas.scaling_efficiency, (2 / 1.1 + 1 / 1.5) / 3, 1e-4);
  EXPECT_FALSE(replicas.exposed_communication_share);
  EXPECT_FALSE(replicas.slowest_device);
}

TEST(InstanceWorkloads, ATwinThatRanOnlyHeadlinesCountsWithItsOwn) {
  std::vector<Measurement> all;
  add_card(all, 0, 1, 1);
  all.push_back(ok_measurement(kSquareProduct, {2e7}, 1));
  all.push_back(under_load(all.back(), 1.5));
  all.push_back(ok_measurement(kTriadOfMegabyte, {2 * byte_count(kTriadOfMegabyte) / kBytesPerNs}, 1));
  all.push_back(under_load(all.back(), 1.5));
  add_all_reduces(all, 2, 1'000, 0.001);
  const InstanceStep step = step_called(instance_steps(cards(2), all), "bert_large_train");
  ASSERT_TRUE(step.known()) << step.unknown_because;
  EXPECT_EQ(step.slowest_device, 1);
  EXPECT_NEAR(step.slowest_ns, 1.5 * step.slowest_alone_ns, kDigits * step.slowest_ns);
}

TEST(InstanceWorkloads, WithoutAnAllReduceTrainingIsUnknownAndInferenceIsNot) {
  auto all = equal_cards(2, 1);
  add_all_reduces(all, 4, 1'000, 0.001);  // among other GPUs
  const auto rows = instance_workloads(cards(2), all);
  for (const InstanceWorkload& row : rows) {
    const bool trains = row.workload_class == WorkloadClass::train;
    EXPECT_EQ(row.samples_per_s.has_value(), !trains) << row.name;
    EXPECT_EQ(row.reason.has_value(), trains) << row.name;
    EXPECT_EQ(row.scaling_efficiency.has_value(), !trains) << row.name;
  }
  EXPECT_NE(row_called(rows, "gpt_train").reason->find("NCCL"), std::string::npos);
}

void expect_all_unknown(const std::vector<Device>& devices, const std::vector<Measurement>& all,
                        const std::string& word) {
  const auto rows = instance_workloads(devices, all);
  EXPECT_FALSE(rows.empty());
  for (const InstanceWorkload& row : rows) {
    EXPECT_FALSE(row.samples_per_s || row.low || row.high || row.scaling_efficiency) << row.name;
    ASSERT_TRUE(row.reason) << row.name;
    EXPECT_NE(row.reason->find(word), std::string::npos) << *row.reason;
  }
}

TEST(InstanceWorkloads, OfDifferentDevicesNothingIsPredicted) {
  auto all = equal_cards(2, 1);
  add_all_reduces(all, 2, 1'000, 0.001);
  auto mixed = cards(2);
  mixed[1].name = "Imagined 2";
  expect_all_unknown(mixed, all, "of one kind");
  auto processors = cards(2);
  for (Device& device : processors) device.kind = DeviceKind::cpu;
  expect_all_unknown(processors, all, "of one kind");
}

TEST(InstanceWorkloads, NeedAllCardsUnderLoadTogether) {
  auto all = equal_cards(2, 1);
  add_all_reduces(all, 2, 1'000, 0.001);
  std::erase_if(all, [](const Measurement& m) { return m.device == 1 && m.regime == Regime::sustained; });
  expect_all_unknown(cards(2), all, "device 1 was not kept under load");
}

TEST(InstanceWorkloads, AWrongResultOfOneMakesAllUnknown) {
  auto all = equal_cards(2, 1);
  add_all_reduces(all, 2, 1'000, 0.001);
  all.front().status = CaseStatus::wrong_result;
  expect_all_unknown(cards(2), all, "device 0");
}

TEST(InstanceWorkloads, HostileTimesMakeNoFigure) {
  auto all = equal_cards(2, 1);
  auto huge = all;
  add_all_reduces(huge, 2, 1e307, 0);
  EXPECT_TRUE(row_called(instance_workloads(cards(2), huge), "bert_large_train").reason) << "46 buckets overflow";
  auto nothing = all;
  add_all_reduces(nothing, 2, std::numeric_limits<double>::quiet_NaN(), 0);
  EXPECT_TRUE(row_called(instance_workloads(cards(2), nothing), "gpt_train").reason);
  for (const double hostile : {0.0, 1e-320, 1e308}) {
    auto loaded = all;
    add_all_reduces(loaded, 2, 1'000, 0.001);
    for (Measurement& m : loaded) {
      if (m.regime == Regime::sustained) m.samples_ns.assign(3, hostile);
    }
    for (const InstanceWorkload& row : instance_workloads(cards(2), loaded)) {
      EXPECT_NE(row.samples_per_s.has_value(), row.reason.has_value()) << row.name << ' ' << hostile;
      if (row.samples_per_s) {
        EXPECT_TRUE(std::isfinite(*row.high) && *row.low > 0) << row.name << ' ' << hostile;
      }
    }
  }
}

TEST(InstanceWorkloads, AreNoPartOfTheScore) {
  auto all = equal_cards(2, 1);
  const auto score = score_run(cards(2), all).value;
  add_all_reduces(all, 2, 1e9, 1);
  EXPECT_EQ(score_run(cards(2), all).value, score);
  const Summary summary = summarize(cards(2), all);
  EXPECT_EQ(summary.instance.workloads.size(), 8U) << "in fp32 both precisions are one";
  EXPECT_TRUE(summary.devices[0].workloads.empty());
}

TEST(LoadedTimes, WhatWasNotKeptUnderLoadIsAsSlowAsTheSlowestThatWas) {
  const BandwidthParams triad{BandwidthKernel::triad, MemoryLevel::dram, 1'000};
  std::vector<Measurement> all{ok_measurement(kSquareProduct, {1'000}), ok_measurement(triad, {300})};
  const GemmParams half{DType::fp16, 4096, 4096, 4096, 1};
  const GemmParams tensor{DType::tf32, 4096, 4096, 4096, 1};
  all.push_back(ok_measurement(half, {100}));
  all.push_back(ok_measurement(tensor, {400}));
  all.push_back(under_load(all[0], 1.25));
  const OperationTimes alone(0, all);
  EXPECT_FALSE(LoadedTimes(alone, 0, all).known()) << "no triad";
  EXPECT_FALSE(LoadedTimes(alone, 0, all).of(kSquareProduct));
  all.push_back(under_load(all[1], 1.5));
  all.push_back(under_load(all[2], 2));
  const LoadedTimes loaded(alone, 0, all);
  ASSERT_TRUE(loaded.known());
  EXPECT_DOUBLE_EQ(loaded.of(kSquareProduct)->median_ns, 1'250);
  EXPECT_DOUBLE_EQ(loaded.of(half)->median_ns, 200);
  EXPECT_DOUBLE_EQ(loaded.of(tensor)->median_ns, 800);
  EXPECT_DOUBLE_EQ(*loaded.best_gemm_flops_per_ns(DType::fp16), *alone.best_gemm_flops_per_ns(DType::fp16) / 2);
  EXPECT_DOUBLE_EQ(loaded.triad_ns_per_byte()->median_ns, 1.5 * 300 / 3'000);
  EXPECT_FALSE(LoadedTimes(alone, 1, all).known()) << "of another device";
}

}  // namespace
}  // namespace gpuassay
