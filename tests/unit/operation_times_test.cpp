#include "core/operation_times.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/operations.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

using test::ok_measurement;

/// A device of 1000 FLOPs and 10 bytes in a nanosecond.
constexpr double kFlopsPerNs = 1000, kBytesPerNs = 10;
const BandwidthParams kArrays{BandwidthKernel::triad, MemoryLevel::dram, 1'000'000};

GemmParams product(std::int64_t m, std::int64_t n, std::int64_t k, DType dtype = DType::fp32) {
  return {dtype, m, n, k, 1};
}

double floor_of(const OperationParams& params) {
  return std::max(flop_count(params) / kFlopsPerNs, operand_bytes(params) / kBytesPerNs);
}

Measurement triad() { return ok_measurement(kArrays, {byte_count(kArrays) / kBytesPerNs}); }
Measurement slower(const OperationParams& params, double slowdown) {
  return ok_measurement(params, {floor_of(params) * slowdown});
}

TEST(OperationTimes, CountsEachOperandOnce) {
  EXPECT_EQ(operand_bytes(GemmParams{DType::fp16, 2, 3, 5, 7}), 2 * 7 * (2 * 5 + 5 * 3 + 2 * 3));
  EXPECT_EQ(operand_bytes(ConvParams{DType::fp32, ConvDirection::forward, 2, 3, 8, 8, 4, 3, 3, 2, 1}),
            4 * (2 * 3 * 64 + 4 * 3 * 9 + 2 * 4 * 16));
  EXPECT_EQ(operand_bytes(kArrays), 0);
}

TEST(OperationTimes, WhatWasMeasuredIsTakenAsItWas) {
  const GemmParams params = product(64, 64, 64);
  const OperationTimes times(0, {triad(), ok_measurement(params, {10, 30, 20, 40, 50})});
  const auto time = times.of(params);
  ASSERT_TRUE(time);
  EXPECT_TRUE(time->measured);
  EXPECT_EQ(time->median_ns, 30);
  EXPECT_EQ(time->low_ns, 20);
  EXPECT_EQ(time->high_ns, 40);
  EXPECT_DOUBLE_EQ(times.triad_ns_per_byte()->median_ns, 1 / kBytesPerNs);
  EXPECT_FALSE(times.latency_ns(LatencyKind::kernel_launch));
}

TEST(OperationTimes, AnEstimateFollowsItsNeighboursByHowNearTheyAre) {
  // At the peak: 1024 cubed. Twice as far from the floor: 1024 x 1024 x 256.
  // And a third, as far from the floor as the two in the mean.
  const OperationTimes times(0, {triad(), slower(product(1024, 1024, 1024), 1), slower(product(1024, 1024, 256), 2),
                                 slower(product(1024, 4096, 512), 1.5)});
  const GemmParams between = product(1024, 1024, 512);  // twice from the two, four times from the third
  EXPECT_DOUBLE_EQ(times.of(between)->median_ns, floor_of(between) * 1.5);
  const GemmParams nearer = product(1024, 1024, 2048);  // 2, 8 and 16 times
  EXPECT_DOUBLE_EQ(times.of(nearer)->median_ns,
                   floor_of(nearer) * (1 / 4.0 + 2 / 64.0 + 1.5 / 256.0) / (1 / 4.0 + 1 / 64.0 + 1 / 256.0));
  EXPECT_FALSE(times.of(nearer)->measured);
}

TEST(OperationTimes, TwoOfAKindAreTooFewToEstimateAThird) {
  const OperationTimes times(0, {triad(), slower(product(1024, 1024, 1024), 1), slower(product(1024, 1024, 256), 2)});
  EXPECT_FALSE(times.of(product(1024, 1024, 512)));
}

TEST(OperationTimes, MemoryIsTheFloorOfAThinProduct) {
  const OperationTimes times(0, {triad(), slower(product(1024, 1024, 1024), 1), slower(product(1, 1024, 1024), 1.25),
                                 slower(product(4, 1024, 1024), 1.25)});
  const GemmParams thin = product(2, 1024, 1024);
  EXPECT_EQ(floor_of(thin), operand_bytes(thin) / kBytesPerNs);
  const double near = 2 * 1 / 4.0;
  const double far = 1 / (512.0 * 512);
  EXPECT_DOUBLE_EQ(times.of(thin)->median_ns, floor_of(thin) * (1.25 * near + far) / (near + far));
}

TEST(OperationTimes, AnEstimateIsAsUncertainAsThoseOfWhatWasMeasured) {
  std::vector<Measurement> measurements{triad()};
  // Each is estimated from the two others as (1 + 2) / 2 or near it; off by a third to a half.
  for (const std::int64_t k : {512, 1024, 2048}) {
    measurements.push_back(slower(product(1024, 1024, k), k == 1024 ? 1 : 2));
  }
  const OperationTimes times(0, measurements);
  const auto time = times.of(product(1024, 1024, 4096));
  const double spread = time->high_ns / time->median_ns - 1;
  // 1024 from 512 and 2048, both 2: off by 1. 512 from 1024 (1/4 of 1) and 2048 (1/16 of 2): 1.2, off by 0.4; the
  // other way round the same.
  EXPECT_NEAR(spread, 0.4, 1e-12);
  EXPECT_DOUBLE_EQ(time->low_ns, time->median_ns / (1 + spread));
}

TEST(OperationTimes, OnlyTheLikeIsComparedWithTheLike) {
  const ConvParams conv{DType::fp32, ConvDirection::forward, 8, 64, 56, 56, 64, 3, 3, 1, 1};
  Measurement failed = slower(product(64, 64, 64, DType::int8), 1);
  failed.status = CaseStatus::failed;
  Measurement other_device = slower(product(64, 64, 64, DType::bf16), 1);
  other_device.device = 1;
  ConvParams wider = conv;
  wider.k = 128;
  ConvParams deeper = conv;
  deeper.c = 128;
  const OperationTimes times(0, {triad(), slower(conv, 1), slower(wider, 1), slower(deeper, 1), failed, other_device});
  EXPECT_FALSE(times.of(product(64, 64, 64))) << "no product was measured";
  EXPECT_FALSE(times.of(product(64, 64, 64, DType::int8)));
  EXPECT_FALSE(times.of(product(64, 64, 64, DType::bf16)));
  EXPECT_FALSE(times.of(BandwidthParams{BandwidthKernel::copy}));
  ConvParams backward = conv;
  backward.direction = ConvDirection::backward_data;
  EXPECT_DOUBLE_EQ(times.of(backward)->median_ns, floor_of(backward));
}

}  // namespace
}  // namespace gpuassay
