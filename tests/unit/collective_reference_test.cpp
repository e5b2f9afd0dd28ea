#include "agent/workloads/collective_reference.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace gpuassay {
namespace {

using kernels::ElementFormat;

CollectiveParams of(CollectiveKind kind, std::int64_t bytes, std::int64_t ranks, DType dtype = DType::fp32) {
  return {kind, dtype, bytes, ranks, CollectiveMode::bandwidth};
}

double input(std::int64_t rank, std::int64_t index) {
  return kernels::element_value(ElementFormat::fp32, collective_seed(rank), static_cast<std::uint64_t>(index));
}

TEST(CollectiveSizes, CountTheMessageAsNcclTestsDoes) {
  // 96 bytes are 24 numbers; each of 3 ranks has 8 of them.
  const auto sizes = [](CollectiveKind kind) { return collective_sizes(of(kind, 96, 3)); };
  EXPECT_EQ(sizes(CollectiveKind::all_reduce).send, 24);
  EXPECT_EQ(sizes(CollectiveKind::all_reduce).receive, 24);
  EXPECT_EQ(sizes(CollectiveKind::all_gather).send, 8);
  EXPECT_EQ(sizes(CollectiveKind::all_gather).receive, 24);
  EXPECT_EQ(sizes(CollectiveKind::reduce_scatter).send, 24);
  EXPECT_EQ(sizes(CollectiveKind::reduce_scatter).receive, 8);
  EXPECT_EQ(sizes(CollectiveKind::all_to_all).send, 24);
  EXPECT_EQ(sizes(CollectiveKind::all_to_all).receive, 24);
}

TEST(CollectiveSizes, WhatCannotBeSharedOutIsRefused) {
  EXPECT_THROW((void)collective_sizes(of(CollectiveKind::all_gather, 100, 3)), Error);
  EXPECT_THROW((void)collective_sizes(of(CollectiveKind::all_reduce, 6, 2)), Error);
  EXPECT_THROW((void)collective_sizes(of(CollectiveKind::all_reduce, 8, 1)), Error);
  EXPECT_THROW((void)collective_sizes(of(CollectiveKind::all_reduce, 0, 2)), Error);
  EXPECT_THROW((void)collective_sizes(of(CollectiveKind::all_reduce, 8, 2, DType::int8)), Error);
  EXPECT_EQ(collective_sizes(of(CollectiveKind::all_reduce, 6, 2, DType::bf16)).send, 3);
}

TEST(CollectiveReference, SumsAreOfEveryRanksElement) {
  const ReferenceValue sum = collective_reference_at(of(CollectiveKind::all_reduce, 96, 3), 2, 7);
  EXPECT_DOUBLE_EQ(sum.want, input(0, 7) + input(1, 7) + input(2, 7));
  EXPECT_DOUBLE_EQ(sum.sum_abs, std::abs(input(0, 7)) + std::abs(input(1, 7)) + std::abs(input(2, 7)));
  // Rank 2 gets the third share: elements 16 to 23.
  const ReferenceValue scattered = collective_reference_at(of(CollectiveKind::reduce_scatter, 96, 3), 2, 7);
  EXPECT_DOUBLE_EQ(scattered.want, input(0, 23) + input(1, 23) + input(2, 23));
}

TEST(CollectiveReference, SharesAreInTheOrderOfTheRanks) {
  // Element 10 of the output is element 2 of the second share.
  EXPECT_EQ(collective_reference_at(of(CollectiveKind::all_gather, 96, 3), 0, 10).want, input(1, 2));
  EXPECT_EQ(collective_reference_at(of(CollectiveKind::all_to_all, 96, 3), 2, 10).want, input(1, 18));
}

TEST(CollectiveRule, SumsAreRightWithinTheirRoundingAndSeeALostRank) {
  EXPECT_TRUE(collective_rule(of(CollectiveKind::all_to_all, 96, 3)).exact);
  EXPECT_DOUBLE_EQ(collective_rule(of(CollectiveKind::all_reduce, 96, 8)).tolerance, 8 * 0x1p-24);
  EXPECT_DOUBLE_EQ(collective_rule(of(CollectiveKind::all_reduce, 96, 8, DType::bf16)).tolerance, 8 * 0x1p-8);
  const CollectiveParams params = of(CollectiveKind::all_reduce, 4096, 8);
  OutputCheck check(collective_rule(params));
  for (const std::int64_t position : sampled_positions(1024, {})) {
    const ReferenceValue all = collective_reference_at(params, 0, position);
    check.compare(all.want - input(5, position), all);
  }
  EXPECT_FALSE(check.result().passed);
}

}  // namespace
}  // namespace gpuassay
