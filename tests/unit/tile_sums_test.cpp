#include "agent/workloads/tile_sums.h"

#include <gtest/gtest.h>

#include <set>

#include "kernels/read_reference.h"

namespace gpuassay {
namespace {

constexpr std::int64_t kTileWords = kernels::kTileBytes / 8;

TEST(TileSums, OnePassIsTheKernelsOwnRule) {
  const auto word = [](std::uint64_t i) { return i * i; };
  const std::int64_t words = 5 * kTileWords + 10;
  TileSums sums(words, 2, word);
  for (const std::int64_t block : {0, 1}) {
    EXPECT_EQ(sums.block_sum(block, 1), kernels::read_block_sum(word, static_cast<std::uint64_t>(words) * 8,
                                                                static_cast<kernels::UInt32>(block), 2, 1));
  }
}

TEST(TileSums, PassesGoRoundTheBlocks) {
  // Three blocks, one tile each, whose words are 1, 10 and 100.
  const auto word = [](std::uint64_t i) {
    return std::uint64_t{i < kTileWords ? 1U : i < 2 * kTileWords ? 10U : 100U};
  };
  TileSums sums(3 * kTileWords, 3, word);
  EXPECT_EQ(sums.block_sum(1, 2), kTileWords * 110U);
  EXPECT_EQ(sums.block_sum(0, 4), kTileWords * 13U) << "as blocks 0, 1, 0 and 0";
}

TEST(ReadRole, EveryPassReadsEveryTileAndNoTwoStepsAreAlike) {
  constexpr kernels::UInt32 kBlocks = 12;
  for (const kernels::UInt64 pass : {0U, 1U, 5U, 23U, 24U, 100'000U}) {
    std::set<kernels::UInt64> roles;
    for (kernels::UInt32 block = 0; block < kBlocks; ++block) roles.insert(kernels::read_role(block, kBlocks, pass));
    EXPECT_EQ(roles.size(), kBlocks) << pass;
  }
  for (kernels::UInt64 pass = 1; pass < 100; ++pass) {
    const kernels::UInt64 before = kernels::read_role(0, kBlocks, pass - 1);
    EXPECT_EQ(kernels::read_role(0, kBlocks, pass), (before + pass) % kBlocks);
  }
}

TEST(TileSums, EachWordIsAskedOnce) {
  int asked = 0;
  TileSums sums(2 * kTileWords, 2, [&asked](std::uint64_t) { return static_cast<std::uint64_t>(++asked); });
  (void)sums.block_sum(0, 1000);
  EXPECT_EQ(asked, 2 * kTileWords);
}

}  // namespace
}  // namespace gpuassay
