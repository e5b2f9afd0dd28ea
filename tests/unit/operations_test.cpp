#include "core/operations.h"

#include <gtest/gtest.h>

namespace gpuassay {
namespace {

TEST(FlopCount, GemmIsTwoMnk) {
  EXPECT_EQ(flop_count(GemmParams{DType::fp32, 2, 3, 4, 1}), 48);
  EXPECT_EQ(flop_count(GemmParams{DType::fp32, 2, 3, 4, 5}), 240);
}

TEST(FlopCount, ConvolutionCountsEveryTapOnce) {
  // ResNet-50's first layer at batch 1: output 112*112*64, 3*7*7 taps each: 118,013,952 MACs.
  const ConvParams first{DType::fp32, ConvDirection::forward, 1, 3, 224, 224, 64, 7, 7, 2, 3};
  EXPECT_EQ(first.p(), 112);
  EXPECT_EQ(first.q(), 112);
  EXPECT_EQ(flop_count(first), 2.0 * 118013952.0);
}

TEST(FlopCount, LargeShapesDoNotOverflow) {
  EXPECT_DOUBLE_EQ(flop_count(GemmParams{DType::fp16, 1 << 21, 1 << 21, 1 << 21, 1}), 2.0 * 9223372036854775808.0);
}

TEST(ByteCount, FollowsTheStreamConvention) {
  const auto bytes = [](BandwidthKernel kernel) { return byte_count(BandwidthParams{kernel, MemoryLevel::dram, 100}); };
  EXPECT_EQ(bytes(BandwidthKernel::copy), 200);
  EXPECT_EQ(bytes(BandwidthKernel::mul), 200);
  EXPECT_EQ(bytes(BandwidthKernel::add), 300);
  EXPECT_EQ(bytes(BandwidthKernel::triad), 300);
  EXPECT_EQ(bytes(BandwidthKernel::read), 100);
  EXPECT_EQ(bytes(BandwidthKernel::write), 100);
  EXPECT_EQ(bytes(BandwidthKernel::gather), 100);
}

TEST(ByteCount, ATransferCountsWhatCrossesTheBus) {
  const auto bytes = [](BandwidthKernel kernel) {
    return byte_count(BandwidthParams{kernel, MemoryLevel::pinned, 100});
  };
  EXPECT_EQ(bytes(BandwidthKernel::h2d), 100);
  EXPECT_EQ(bytes(BandwidthKernel::d2h), 100);
  EXPECT_EQ(bytes(BandwidthKernel::bidirectional), 200) << "each way";
}

TEST(FlopCount, ComputeSaysItsOwnAndLatencyHasNone) {
  EXPECT_EQ(flop_count(ComputeParams{DType::fp32, ComputeUnit::fma, 1234}), 1234);
  EXPECT_EQ(flop_count(LatencyParams{}), 0);
  EXPECT_EQ(byte_count(LatencyParams{}), 0);
}

TEST(MetricOf, ConvertsToDecimalUnits) {
  const Metric gemm = metric_of(GemmParams{DType::fp32, 1000, 1000, 1000, 1}, 1e6);  // 2e9 FLOP in 1 ms
  EXPECT_EQ(gemm.name, "achieved_tflop_per_s");
  EXPECT_DOUBLE_EQ(gemm.value, 2.0);
  const Metric copy = metric_of(BandwidthParams{BandwidthKernel::copy, MemoryLevel::dram, 1'000'000'000}, 1e9);
  EXPECT_EQ(copy.unit, "GB/s");
  EXPECT_DOUBLE_EQ(copy.value, 2.0);
  const Metric compute = metric_of(ComputeParams{DType::fp16, ComputeUnit::mma, 3'000'000'000}, 1e6);
  EXPECT_EQ(compute.unit, "TFLOP/s");
  EXPECT_DOUBLE_EQ(compute.value, 3.0);
  const Metric launch = metric_of(LatencyParams{LatencyKind::graph_launch}, 2500);
  EXPECT_EQ(launch.name, "latency_us");
  EXPECT_EQ(launch.unit, "us");
  EXPECT_DOUBLE_EQ(launch.value, 2.5);
}

// By hand: 64 MB in 1 ms are 64 GB/s; each link of a ring of 4 carries 2 * 3/4 of an all-reduce, 3/4 of the others.
TEST(MetricOf, ACollectivesBusBandwidthIsThatOfNcclTests) {
  const auto busbw = [](CollectiveKind kind, std::int64_t ranks) {
    const Metric metric = metric_of(CollectiveParams{kind, DType::fp32, 64'000'000, ranks}, 1e6);
    EXPECT_EQ(metric.name, "busbw_gb_per_s");
    EXPECT_EQ(metric.unit, "GB/s");
    return metric.value;
  };
  EXPECT_DOUBLE_EQ(busbw(CollectiveKind::all_reduce, 4), 96);
  EXPECT_DOUBLE_EQ(busbw(CollectiveKind::all_reduce, 2), 64);
  EXPECT_DOUBLE_EQ(busbw(CollectiveKind::all_gather, 4), 48);
  EXPECT_DOUBLE_EQ(busbw(CollectiveKind::reduce_scatter, 4), 48);
  EXPECT_DOUBLE_EQ(busbw(CollectiveKind::all_to_all, 8), 56);
  EXPECT_DOUBLE_EQ(algbw_gb_per_s({CollectiveKind::all_reduce, DType::fp32, 64'000'000, 4}, 1e6), 64);
  CollectiveParams latency{CollectiveKind::all_reduce, DType::fp32, 16384, 4, CollectiveMode::plain};
  EXPECT_EQ(metric_of(latency, 12'500).name, "latency_us");
  EXPECT_DOUBLE_EQ(metric_of(latency, 12'500).value, 12.5);
}

TEST(CaseId, NamesTheOperationCompletely) {
  CollectiveParams collective{CollectiveKind::all_reduce, DType::fp32, 1048576, 8};
  EXPECT_EQ(case_id(collective), "collective/all_reduce/fp32/ranks8/bytes1048576");
  collective.mode = CollectiveMode::graph;
  EXPECT_EQ(case_id(collective), "collective/all_reduce/fp32/ranks8/bytes1048576/graph");
  EXPECT_EQ(case_id(GemmParams{DType::int8, 1, 2, 3, 1}), "gemm/int8/m1n2k3");
  EXPECT_EQ(case_id(ConvParams{DType::fp32, ConvDirection::backward_data, 8, 64, 56, 56, 64, 3, 3, 1, 1}),
            "conv/fp32/backward_data/n8c64h56w56k64r3s3/stride1pad1");
  EXPECT_EQ(case_id(BandwidthParams{BandwidthKernel::h2d, MemoryLevel::pinned, 1}), "bandwidth/h2d/pinned");
  EXPECT_EQ(case_id(BandwidthParams{BandwidthKernel::gather, MemoryLevel::dram, 1}), "bandwidth/gather/dram");
  EXPECT_EQ(case_id(ComputeParams{DType::fp32, ComputeUnit::fma, 1}), "compute/fma/fp32");
  EXPECT_EQ(case_id(LatencyParams{LatencyKind::kernel_launch}), "latency/kernel_launch");
  EXPECT_EQ(case_id(BandwidthParams{BandwidthKernel::triad, MemoryLevel::dram, 1}), "bandwidth/triad/dram");
}

}  // namespace
}  // namespace gpuassay
