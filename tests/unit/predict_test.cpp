#include "core/predict.h"

#include <gtest/gtest.h>

#include "core/operations.h"
#include "core/replay.h"
#include "core/workload_reader.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

using test::ok_measurement;

const BandwidthParams kTriadArrays{BandwidthKernel::triad, MemoryLevel::dram, 1'000'000};
const TracedGemm kProduct{ConvDirection::forward, false, false, 128, 256, 512, 1};
const TracedAttention kAttention{false, 2, 4, 4, 64, 64, 32, true, 1};
const ComputeTypes kTypes{DType::fp16, DType::fp32};

/// Two products, an attention, and three kernels that move 4000 bytes each.
TracedWorkload small() {
  TracedWorkload workload;
  workload.id = "small";
  workload.samples = 10;
  workload.operations = {{kProduct, TracedRole::half, 2}, {kAttention, TracedRole::half, 1}};
  workload.mixed.traffic = {{TrafficKind::elementwise, {1000, 0, 0}, {1000, 0, 0}, 1, 3}};
  workload.full.traffic = {{TrafficKind::elementwise, {0, 1000, 0}, {0, 1000, 0}, 1, 3}};
  return workload;
}

constexpr double kTriadBytesPerNs = 1000;

/// 3000 ns for the product, 500 ns for each product of the attention.
std::vector<Measurement> measured(DType dtype) {
  std::vector<Measurement> measurements{ok_measurement(kTriadArrays, {byte_count(kTriadArrays) / kTriadBytesPerNs})};
  const TracedOperation operation{kProduct, TracedRole::half, 1};
  measurements.push_back(ok_measurement(*measurable_params(operation, dtype), {2000, 2500, 3000, 4000, 5000}));
  for (const GemmParams& product : attention_products(kAttention, dtype))
    measurements.push_back(ok_measurement(product, {500}));
  return measurements;
}

std::optional<StepPrediction> predicted(const std::vector<Measurement>& measurements, LaunchMode mode,
                                        WorkloadPrecision precision = WorkloadPrecision::mixed) {
  return predict_step(small(), precision, kTypes, OperationTimes(0, measurements), mode);
}

TEST(Predict, AddsUpWhatAStepConsistsOf) {
  const auto step = predicted(measured(DType::fp16), LaunchMode::eager);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->operations_ns, 2 * 3000);
  // Causal: 64 * 65 / 2 of the 64 * 64 pairs, at the rate of the two products.
  EXPECT_DOUBLE_EQ(step->attention_ns, 1000.0 * (64.0 * 65 / 2) / (64 * 64));
  EXPECT_DOUBLE_EQ(step->traffic_ns, 3 * 4000 / kTriadBytesPerNs);
  EXPECT_EQ(step->launching_ns, 0);
  EXPECT_DOUBLE_EQ(step->step_ns, step->operations_ns + step->attention_ns + step->traffic_ns);
  EXPECT_DOUBLE_EQ(step->low_ns, step->step_ns - 2 * 500) << "the quartiles of the product";
  EXPECT_DOUBLE_EQ(step->high_ns, step->step_ns + 2 * 1000);
  EXPECT_EQ(step->covered_share, 1);
}

TEST(Predict, FullPrecisionIsMadeOfFp32) {
  EXPECT_FALSE(predicted(measured(DType::fp16), LaunchMode::eager, WorkloadPrecision::full));
  const auto step = predicted(measured(DType::fp32), LaunchMode::eager, WorkloadPrecision::full);
  ASSERT_TRUE(step);
  EXPECT_DOUBLE_EQ(step->traffic_ns, 3 * 8000 / kTriadBytesPerNs);
}

TEST(Predict, AttentionIsNoFasterThanItsBytes) {
  auto measurements = measured(DType::fp16);
  for (Measurement& each : measurements) {
    if (each.samples_ns == std::vector<double>{500}) each.samples_ns = {1};
  }
  const auto step = predicted(measurements, LaunchMode::eager);
  const TracedOperation attention{kAttention, TracedRole::half, 1};
  EXPECT_DOUBLE_EQ(step->attention_ns, byte_count(attention, WorkloadPrecision::mixed) / kTriadBytesPerNs);
}

TEST(Predict, EagerLaunchesOverlapWithKernels) {
  auto measurements = measured(DType::fp16);
  measurements.push_back(ok_measurement(LatencyParams{LatencyKind::kernel_launch}, {1000}));
  const double kernels_ns = predicted(measured(DType::fp16), LaunchMode::eager)->step_ns;
  EXPECT_DOUBLE_EQ(predicted(measurements, LaunchMode::eager)->step_ns, kernels_ns) << "6 launches take 6000 ns";
  measurements.back().samples_ns = {2000};
  const auto bound = predicted(measurements, LaunchMode::eager);
  EXPECT_DOUBLE_EQ(bound->step_ns, 6 * 2000);
  EXPECT_DOUBLE_EQ(bound->launching_ns, 6 * 2000 - kernels_ns);
  EXPECT_DOUBLE_EQ(bound->low_ns, 6 * 2000);
}

TEST(Predict, NoKernelOfAGraphIsShorterThanAnEmptyOne) {
  auto measurements = measured(DType::fp16);
  const auto alone = predicted(measurements, LaunchMode::graph);
  measurements.push_back(ok_measurement(LatencyParams{LatencyKind::graph_launch}, {1000}));
  const auto step = predicted(measurements, LaunchMode::graph);
  // The three kernels take 4 ns each, the attention 507.8125; the products are longer.
  EXPECT_DOUBLE_EQ(step->launching_ns, 3 * 996 + (1000 - alone->attention_ns));
  EXPECT_DOUBLE_EQ(step->step_ns, alone->step_ns + step->launching_ns);
}

TEST(Predict, WhatWasNotMeasuredIsEstimatedAndSaidToBe) {
  auto measurements = measured(DType::fp16);
  measurements.erase(measurements.begin() + 1);  // the product
  const auto step = predicted(measurements, LaunchMode::eager);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->covered_share, 0);
  EXPECT_GT(step->high_ns, step->step_ns * 1.1);
  measurements.erase(measurements.begin());  // the triad
  EXPECT_FALSE(predicted(measurements, LaunchMode::eager));
}

/// The core's workloads as a device of one rate for everything would run them.
std::vector<Measurement> all_operations(const ComputeTypes& types, WorkloadPrecision precision) {
  std::vector<Measurement> measurements{ok_measurement(kTriadArrays, {byte_count(kTriadArrays) / kTriadBytesPerNs})};
  for (const ReplayOperation& each : replay_operations(core_workloads(), precision, types))
    measurements.push_back(ok_measurement(each.params, {flop_count(each.params) / 1e4}));
  return measurements;
}

Device gpu(const std::string& capability) {
  Device device;
  device.kind = DeviceKind::cuda;
  device.compute_capability = capability;
  return device;
}

TEST(PredictWorkloads, TakeWhatTheDeviceIsFastIn) {
  EXPECT_EQ(preferred_types(gpu("9.0")), (ComputeTypes{DType::fp16, DType::tf32}));
  EXPECT_EQ(preferred_types(gpu("7.5")), (ComputeTypes{DType::fp16, DType::fp32}));
  EXPECT_EQ(preferred_types(gpu("6.1")), (ComputeTypes{DType::fp32, DType::fp32}));
  EXPECT_EQ(preferred_types(test::cpu_device()), (ComputeTypes{DType::bf16, DType::fp32}));
}

TEST(PredictWorkloads, AreEightInTwoPrecisions) {
  const ComputeTypes types{DType::fp16, DType::tf32};
  auto measurements = all_operations(types, WorkloadPrecision::full);
  for (Measurement& each : all_operations(types, WorkloadPrecision::mixed)) measurements.push_back(std::move(each));
  const auto predictions = predict_workloads(core_workloads(), gpu("8.0"), measurements);
  ASSERT_EQ(predictions.size(), 16U);
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const WorkloadPrediction& each = predictions[i];
    EXPECT_EQ(each.workload, &core_workloads()[i / 2]);
    EXPECT_EQ(each.precision, i % 2 == 0 ? WorkloadPrecision::full : WorkloadPrecision::mixed);
    ASSERT_TRUE(each.step) << each.workload->id;
    EXPECT_EQ(each.step->covered_share, 1);
    EXPECT_EQ(each.types.half, i % 2 == 0 ? DType::tf32 : DType::fp16);
    EXPECT_NEAR(each.samples_per_s(each.step->step_ns) * each.step->step_ns,
                static_cast<double>(each.workload->samples) * 1e9, 1);
  }
}

TEST(PredictWorkloads, WithoutSixteenBitsMixedIsFull) {
  const auto measurements = all_operations({DType::fp32, DType::fp32}, WorkloadPrecision::full);
  for (const Device& device : {gpu("6.1"), gpu("8.0"), test::cpu_device()}) {
    const auto predictions = predict_workloads(core_workloads(), device, measurements);
    for (std::size_t i = 0; i < predictions.size(); i += 2) {
      ASSERT_TRUE(predictions[i].step && predictions[i + 1].step);
      EXPECT_EQ(predictions[i].step->step_ns, predictions[i + 1].step->step_ns);
      EXPECT_EQ(predictions[i + 1].types, (ComputeTypes{DType::fp32, DType::fp32})) << "and says so";
    }
  }
  for (const WorkloadPrediction& each : predict_workloads(core_workloads(), gpu("8.0"), {})) EXPECT_FALSE(each.step);
}

TEST(Replay, OperationsOfMostWorthComeFirst) {
  TracedWorkload other = small();
  other.operations = {{kProduct, TracedRole::half, 5}};
  const auto operations = replay_operations({small(), other}, WorkloadPrecision::mixed, kTypes);
  ASSERT_EQ(operations.size(), 3U);
  EXPECT_EQ(std::get<GemmParams>(operations[0].params), (GemmParams{DType::fp16, 128, 256, 512, 1}));
  const double product_flops = 2 * 2.0 * 128 * 256 * 512;
  const double attention_flops = flop_count(small().operations[1]);
  EXPECT_DOUBLE_EQ(operations[0].share, 1 + product_flops / (product_flops + attention_flops));
  EXPECT_EQ(std::get<GemmParams>(operations[1].params), (GemmParams{DType::fp16, 64, 64, 32, 8}));
  EXPECT_DOUBLE_EQ(operations[1].share, operations[2].share);
}

TEST(Replay, TheCoreHasSharesOfEightWorkloads) {
  for (const WorkloadPrecision precision : {WorkloadPrecision::full, WorkloadPrecision::mixed}) {
    const auto operations = replay_operations(core_workloads(), precision, kTypes);
    double shares = 0;
    for (const ReplayOperation& each : operations) {
      const auto* const gemm = std::get_if<GemmParams>(&each.params);
      const DType dtype = gemm != nullptr ? gemm->dtype : std::get<ConvParams>(each.params).dtype;
      EXPECT_EQ(dtype, type_of(TracedRole::half, precision, kTypes));
      shares += each.share;
    }
    EXPECT_NEAR(shares, 8, 1e-9);
    EXPECT_GT(operations.size(), 150U);
  }
}

}  // namespace
}  // namespace gpuassay
