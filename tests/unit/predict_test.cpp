#include "core/predict.h"

#include <gtest/gtest.h>

#include "core/operation_times.h"
#include "core/operations.h"
#include "core/replay.h"
#include "core/workload_reader.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

using test::ok_measurement;

const BandwidthParams kTriadArrays{BandwidthKernel::triad, MemoryLevel::dram, 1'000'000};
const TracedGemm kProduct{ConvDirection::forward, false, false, 128, 256, 512, 1};
const TracedConv kConvolution{ConvDirection::forward, true, 2, 16, 8, 8, 16, 1, 1, 1, 0};
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
constexpr double kProductNs = 3000;

/// 3000 ns for the product, which is thereby the best.
std::vector<Measurement> measured(DType dtype) {
  const TracedOperation operation{kProduct, TracedRole::half, 1};
  return {ok_measurement(kTriadArrays, {byte_count(kTriadArrays) / kTriadBytesPerNs}),
          ok_measurement(*measurable_params(operation, dtype), {2000, 2500, kProductNs, 4000, 5000})};
}

std::optional<StepPrediction> predicted(const std::vector<Measurement>& measurements, const FrameworkCosts& costs = {},
                                        WorkloadPrecision precision = WorkloadPrecision::mixed,
                                        const TracedWorkload& workload = small(),
                                        const Multiprocessors& multiprocessors = {}) {
  return predict_step(workload, precision, kTypes, OperationTimes(0, measurements), multiprocessors, costs);
}

TEST(Predict, AddsUpWhatAStepConsistsOf) {
  const auto step = predicted(measured(DType::fp16));
  ASSERT_TRUE(step);
  EXPECT_EQ(step->operations_ns, 2 * kProductNs);
  const double product_flops = 2.0 * 128 * 256 * 512;
  EXPECT_DOUBLE_EQ(step->attention_ns, flop_count(small().operations[1]) / (product_flops / kProductNs));
  EXPECT_DOUBLE_EQ(step->traffic_ns, 3 * 4000 / kTriadBytesPerNs);
  EXPECT_EQ(step->pauses_ns, 0);
  EXPECT_DOUBLE_EQ(step->step_ns, step->operations_ns + step->attention_ns + step->traffic_ns);
  EXPECT_DOUBLE_EQ(step->low_ns, step->step_ns - 2 * 500) << "the quartiles of the product";
  EXPECT_DOUBLE_EQ(step->high_ns, step->step_ns + 2 * 1000);
  EXPECT_EQ(step->covered_share, 1);
}

TEST(Predict, BackwardIsWhatMakesGradientsAndHalfOfOtherKernels) {
  EXPECT_EQ(predicted(measured(DType::fp16))->backward_ns, 0) << "nothing trains";
  TracedWorkload training = small();
  training.operations.push_back(training.operations[0]);
  std::get<TracedGemm>(training.operations.back().params).direction = ConvDirection::backward_weights;
  training.mixed.traffic.push_back({TrafficKind::optimizer, {1000, 0, 0}, {1000, 0, 0}, 1, 100});
  const auto of = [](const TracedWorkload& workload) {
    return predicted(measured(DType::fp16), {}, WorkloadPrecision::mixed, workload);
  };
  const double half_of_others_ns = 0.5 * 3 * 4000 / kTriadBytesPerNs;
  EXPECT_DOUBLE_EQ(of(training)->backward_ns, 2 * kProductNs + half_of_others_ns) << "without the optimizer";
  EXPECT_GT(of(training)->traffic_ns, 100 * 4000 / kTriadBytesPerNs);
  std::get<TracedAttention>(training.operations[1].params).backward = true;
  EXPECT_DOUBLE_EQ(of(training)->backward_ns, 2 * kProductNs + half_of_others_ns + of(training)->attention_ns);
}

TEST(Predict, FullPrecisionIsMadeOfFp32) {
  EXPECT_FALSE(predicted(measured(DType::fp16), {}, WorkloadPrecision::full));
  const auto step = predicted(measured(DType::fp32), {}, WorkloadPrecision::full);
  ASSERT_TRUE(step);
  EXPECT_DOUBLE_EQ(step->traffic_ns, 3 * 8000 / kTriadBytesPerNs);
}

TEST(Predict, AttentionReachesAShareOfTheBestProduct) {
  FrameworkCosts costs;
  costs.attention_half_forward = 0.5;
  costs.attention_half_backward = 0.25;
  costs.attention_fp32 = 0.125;
  const double best = predicted(measured(DType::fp16))->attention_ns;
  EXPECT_DOUBLE_EQ(predicted(measured(DType::fp16), costs)->attention_ns, best * 2);
  EXPECT_DOUBLE_EQ(predicted(measured(DType::fp32), costs, WorkloadPrecision::full)->attention_ns, best * 8);
  TracedWorkload backward = small();
  std::get<TracedAttention>(backward.operations[1].params).backward = true;
  // Five products for two.
  EXPECT_DOUBLE_EQ(predicted(measured(DType::fp16), costs, WorkloadPrecision::mixed, backward)->attention_ns,
                   best * 4 * 5 / 2);
}

TEST(Predict, AttentionIsNoFasterThanItsBytes) {
  FrameworkCosts costs;
  costs.attention_half_forward = 1000;
  costs.attention_over_triad = 1.5;
  const TracedOperation attention{kAttention, TracedRole::half, 1};
  EXPECT_DOUBLE_EQ(predicted(measured(DType::fp16), costs)->attention_ns,
                   1.5 * byte_count(attention, WorkloadPrecision::mixed) / kTriadBytesPerNs);
}

TEST(Predict, OtherKernelsTakeLongerThanTheTriadByWhatTheyDo) {
  FrameworkCosts costs;
  costs.traffic[static_cast<std::size_t>(TrafficKind::elementwise)] = {1.5, 0};
  costs.traffic[static_cast<std::size_t>(TrafficKind::normalization)] = {0.5, 3};
  TracedWorkload workload = small();
  workload.mixed.traffic.push_back({TrafficKind::normalization, {1000, 0, 0}, {1000, 0, 0}, 1, 1});
  const double moving_ns = (3 * 1.5 + 0.5) * 4000 / kTriadBytesPerNs;
  const auto predict = [&](const Multiprocessors& multiprocessors) {
    return predicted(measured(DType::fp16), costs, WorkloadPrecision::mixed, workload, multiprocessors)->traffic_ns;
  };
  EXPECT_DOUBLE_EQ(predict({10, 1.5}), moving_ns + 3 * 2000 / (10 * 1.5)) << "three clocks for each of 2000 elements";
  EXPECT_DOUBLE_EQ(predict({}), moving_ns);
}

TEST(Predict, MultiprocessorsAreThoseOfTheDeviceAtItsHighestClock) {
  Device device;
  device.kind = DeviceKind::cuda;
  EXPECT_EQ(multiprocessors_of(device).count, 0);
  device.name = "Tesla T4";
  device.compute_capability = "7.5";
  device.sm_count = 40;
  EXPECT_EQ(multiprocessors_of(device).count, 40);
  EXPECT_EQ(multiprocessors_of(device).clocks_per_ns, 1.59) << "of the table";
  device.limits.emplace().max_sm_clock_mhz = 1000;
  EXPECT_EQ(multiprocessors_of(device).clocks_per_ns, 1);
  EXPECT_EQ(multiprocessors_of(test::cpu_device()).count, 0);
}

TEST(Predict, FewQueriesOfFewHeadsLeaveMultiprocessorsIdleIn32Bits) {
  FrameworkCosts costs;
  costs.attention_rows = 64;
  const auto attention_ns = [&](WorkloadPrecision precision, const Multiprocessors& multiprocessors,
                                std::int64_t queries) {
    TracedWorkload workload = small();
    auto& attention = std::get<TracedAttention>(workload.operations[1].params);
    attention.causal = false;
    attention.query_length = queries;
    const DType dtype = precision == WorkloadPrecision::full ? DType::fp32 : DType::fp16;
    return predicted(measured(dtype), costs, precision, workload, multiprocessors)->attention_ns;
  };
  using enum WorkloadPrecision;
  // 2 sequences of 4 heads are 8 blocks.
  EXPECT_DOUBLE_EQ(attention_ns(full, {8, 1}, 64), attention_ns(mixed, {8, 1}, 64));
  EXPECT_DOUBLE_EQ(attention_ns(full, {32, 1}, 64), 4 * attention_ns(mixed, {32, 1}, 64));
  EXPECT_DOUBLE_EQ(attention_ns(full, {8, 1}, 16), 4 * attention_ns(mixed, {8, 1}, 16)) << "64 are computed";
}

TEST(Predict, KernelsHaveAStartAndAPause) {
  FrameworkCosts costs;
  costs.shortest_kernel_ns = 1000;
  costs.pause_ns = 500;
  const auto alone = predicted(measured(DType::fp16), costs);
  auto measurements = measured(DType::fp16);
  measurements.push_back(ok_measurement(LatencyParams{LatencyKind::graph_launch}, {1000}));
  const auto step = predicted(measurements, costs);
  EXPECT_EQ(step->operations_ns, alone->operations_ns) << "that of a product was measured with it";
  EXPECT_DOUBLE_EQ(step->traffic_ns, alone->traffic_ns + 3 * 2000);
  EXPECT_DOUBLE_EQ(step->attention_ns, alone->attention_ns + 2000);
  EXPECT_EQ(step->pauses_ns, 6 * 500);
}

TEST(Predict, AConvolutionInANetworkTakesLongerThanAlone) {
  TracedWorkload workload = small();
  workload.operations = {{kConvolution, TracedRole::half, 3}};
  auto measurements = measured(DType::fp16);
  measurements.push_back(ok_measurement(*measurable_params(workload.operations[0], DType::fp16), {100}));
  FrameworkCosts costs;
  costs.convolution = 1.25;
  EXPECT_DOUBLE_EQ(predicted(measurements, costs, WorkloadPrecision::mixed, workload)->operations_ns, 3 * 125);
}

TEST(Predict, WhatTheModelLacksWidensBothBounds) {
  FrameworkCosts costs;
  const auto narrow = predicted(measured(DType::fp16), costs);
  costs.spread = 0.25;
  const auto wide = predicted(measured(DType::fp16), costs);
  EXPECT_EQ(wide->step_ns, narrow->step_ns);
  EXPECT_DOUBLE_EQ(wide->high_ns, narrow->high_ns * 1.25);
  EXPECT_DOUBLE_EQ(wide->low_ns, narrow->low_ns / 1.25);
}

TEST(Predict, WhatWasNotMeasuredIsEstimatedAndSaidToBe) {
  auto measurements = measured(DType::fp16);
  measurements.erase(measurements.begin() + 1);
  for (const std::int64_t m : {256, 512, 1024})
    measurements.push_back(ok_measurement(GemmParams{DType::fp16, m, 256, 512, 1}, {kProductNs}));
  const auto step = predicted(measurements);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->covered_share, 0);
  EXPECT_GT(step->high_ns, step->step_ns * 1.1);
  measurements.erase(measurements.begin());  // the triad
  EXPECT_FALSE(predicted(measurements));
}

/// The core's workloads as a device of one rate for everything would run them.
std::vector<Measurement> all_operations(const ComputeTypes& types, WorkloadPrecision precision) {
  std::vector<Measurement> measurements{ok_measurement(kTriadArrays, {byte_count(kTriadArrays) / kTriadBytesPerNs})};
  for (const ReplayOperation& each : replay_operations(core_workloads(), precision, types, 100))
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
  const auto predictions = predict_workloads(core_workloads(), gpu("8.0"), OperationTimes(0, measurements));
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
    const auto predictions = predict_workloads(core_workloads(), device, OperationTimes(0, measurements));
    for (std::size_t i = 0; i < predictions.size(); i += 2) {
      ASSERT_TRUE(predictions[i].step && predictions[i + 1].step);
      EXPECT_EQ(predictions[i].step->step_ns, predictions[i + 1].step->step_ns);
      EXPECT_EQ(predictions[i + 1].types, (ComputeTypes{DType::fp32, DType::fp32})) << "and says so";
    }
  }
  for (const WorkloadPrediction& each : predict_workloads(core_workloads(), gpu("8.0"), OperationTimes(0, {})))
    EXPECT_FALSE(each.step);
}

TEST(Replay, OperationsOfMostWorthComeFirst) {
  TracedWorkload other = small();
  other.operations = {{kProduct, TracedRole::half, 5}, {kConvolution, TracedRole::half, 1}};
  const auto operations = replay_operations({small(), other}, WorkloadPrecision::mixed, kTypes, 0);
  ASSERT_EQ(operations.size(), 2U);
  EXPECT_EQ(std::get<GemmParams>(operations[0].params), (GemmParams{DType::fp16, 128, 256, 512, 1}));
  const double product_flops = 2.0 * 128 * 256 * 512;
  const double convolution_flops = 2.0 * 2 * 8 * 8 * 16 * 16;
  EXPECT_DOUBLE_EQ(operations[0].share, 1 + 5 * product_flops / (5 * product_flops + convolution_flops));
  EXPECT_DOUBLE_EQ(operations[1].share, convolution_flops / (5 * product_flops + convolution_flops));
  // Where bytes are slow, the convolution, which does few FLOPs with each, lasts longer.
  const auto slow_memory = replay_operations({other}, WorkloadPrecision::mixed, kTypes, 1e6);
  EXPECT_DOUBLE_EQ(slow_memory[1].share / slow_memory[0].share,
                   operand_bytes(operations[1].params) / (5 * operand_bytes(operations[0].params)));
}

TEST(Replay, SomeOfEachKindComeBeforeTheRest) {
  std::vector<ReplayOperation> operations;
  for (const std::int64_t m : {1, 2, 3, 4})
    operations.push_back({GemmParams{DType::fp16, m, 1, 1, 1}, 1.0 / static_cast<double>(m)});
  const ConvParams conv = std::get<ConvParams>(*measurable_params({kConvolution, TracedRole::half, 1}, DType::fp16));
  operations.push_back({conv, 0.01});
  const auto m_of = [](const ReplayOperation& each) { return std::get<GemmParams>(each.params).m; };
  auto telling = most_telling(operations, 4, 2);
  ASSERT_EQ(telling.size(), 4U);
  EXPECT_EQ(m_of(telling[0]), 1);
  EXPECT_EQ(m_of(telling[1]), 2);
  EXPECT_TRUE(std::holds_alternative<ConvParams>(telling[2].params));
  EXPECT_EQ(m_of(telling[3]), 3);
  EXPECT_EQ(most_telling(operations, 0, 1).size(), 2U) << "one of each kind";
  EXPECT_EQ(most_telling(operations, 100, 1).size(), 5U);
}

TEST(Replay, TheCoreHasSharesOfEightWorkloads) {
  for (const WorkloadPrecision precision : {WorkloadPrecision::full, WorkloadPrecision::mixed}) {
    const auto operations = replay_operations(core_workloads(), precision, kTypes, 100);
    double shares = 0;
    for (const ReplayOperation& each : operations) {
      const auto* const gemm = std::get_if<GemmParams>(&each.params);
      const DType dtype = gemm != nullptr ? gemm->dtype : std::get<ConvParams>(each.params).dtype;
      EXPECT_EQ(dtype, type_of(TracedRole::half, precision, kTypes));
      shares += each.share;
    }
    EXPECT_NEAR(shares, 8, 1e-9);
    EXPECT_GT(operations.size(), 140U);
  }
}

}  // namespace
}  // namespace gpuassay
