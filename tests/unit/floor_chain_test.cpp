#include "agent/floor/floor_chain.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/floor/check.h"
#include "tests/support/reference_floor_device.h"

namespace gpuassay {
namespace {

const FloorWork kWork{0, DType::fp32, test::kSmallShape};
const FloorSeed kSeed{42};

class FloorChainTest : public testing::Test {
 protected:
  void run(FloorChain& chain, int steps) {
    int done = 0;
    chain.run([&] { return ++done < steps; });
  }
  static std::optional<std::string> problem(const FloorChain& chain, const FloorDraw& draw,
                                            const FloorOpening& opening) {
    return opening_problem(kSeed, kWork.shape, chain.commitment(), draw, opening);
  }
};

TEST_F(FloorChainTest, EveryTileOfEveryStepOpens) {
  test::ReferenceFloorDevice device(kWork);
  FloorChain chain(device, kWork, kSeed);
  run(chain, 3);
  EXPECT_EQ(chain.commitment().steps, 3U);
  for (std::uint32_t step = 0; step < 3; ++step) {
    for (const std::int64_t tile : {0, 1, 17, 255}) {
      const FloorDraw draw{0, step, tile};
      EXPECT_EQ(problem(chain, draw, chain.open(draw)), std::nullopt) << step << ", " << tile;
    }
  }
  EXPECT_EQ(chain.self_check(), std::nullopt);
}

TEST_F(FloorChainTest, ATileThatWasNotComputedDoesNotOpen) {
  test::ReferenceFloorDevice device(kWork,
                                    [](std::uint32_t step, std::int64_t tile) { return step == 1 && tile == 9; });
  FloorChain chain(device, kWork, kSeed);
  run(chain, 3);
  EXPECT_NE(problem(chain, {0, 1, 9}, chain.open({0, 1, 9})), std::nullopt);
  EXPECT_EQ(problem(chain, {0, 1, 8}, chain.open({0, 1, 8})), std::nullopt);
  EXPECT_EQ(problem(chain, {0, 2, 9}, chain.open({0, 2, 9})), std::nullopt) << "the chain goes on from what was done";
}

TEST_F(FloorChainTest, AnOpeningOfAnotherPlaceIsNone) {
  test::ReferenceFloorDevice device(kWork);
  FloorChain chain(device, kWork, kSeed);
  run(chain, 3);
  EXPECT_NE(problem(chain, {0, 1, 8}, chain.open({0, 1, 9})), std::nullopt);
  EXPECT_NE(problem(chain, {0, 2, 9}, chain.open({0, 1, 9})), std::nullopt);
  FloorOpening opening = chain.open({0, 2, 9});
  opening.before = Digest{};
  EXPECT_NE(problem(chain, {0, 2, 9}, opening), std::nullopt) << "no step begins anew";
  opening = chain.open({0, 0, 9});
  opening.before[0] = 1;
  EXPECT_NE(problem(chain, {0, 0, 9}, opening), std::nullopt) << "the first follows nothing";
  opening = chain.open({0, 1, 9});
  opening.tile_path.pop_back();
  EXPECT_NE(problem(chain, {0, 1, 9}, opening), std::nullopt);
  opening = chain.open({0, 1, 9});
  opening.after_path.assign(10'000, Digest{});
  EXPECT_NE(problem(chain, {0, 1, 9}, opening), std::nullopt);
}

TEST_F(FloorChainTest, ADeviceThatDoesNotAddExactlyNoticesItItself) {
  test::ReferenceFloorDevice device(kWork, [](std::uint32_t, std::int64_t tile) { return tile == 128; });
  FloorChain chain(device, kWork, kSeed);
  run(chain, 2);
  EXPECT_NE(chain.self_check(), std::nullopt);
}

TEST_F(FloorChainTest, DrawsOfWhatIsNotThereAreRefused) {
  test::ReferenceFloorDevice device(kWork);
  FloorChain chain(device, kWork, kSeed);
  run(chain, 1);
  for (const FloorDraw& draw : {FloorDraw{0, 1, 0}, FloorDraw{0, 0, 256}, FloorDraw{0, 0, -1}})
    EXPECT_THROW((void)chain.open(draw), Error);
}

}  // namespace
}  // namespace gpuassay
