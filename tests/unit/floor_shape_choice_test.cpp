// Which shapes do devices of known speed get? Literal costs: what is not multiplying has to stay below 5 %.
#include "agent/floor/floor_shape_choice.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/floor/check.h"

namespace gpuassay {
namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30U;

/// One of a K80's two devices, in fp32: 2.5 TFLOP/s, 160 GB/s, 13 multiprocessors.
constexpr FloorCosts kKepler{0.03, 0.15, 60'000, 2.5};
/// An H200 in bf16: 800 TFLOP/s, 4 TB/s, 132 multiprocessors.
constexpr FloorCosts kHopper{0.0006, 0.008, 20'000, 800};
const FloorBounds kOfHopper{138 * kGiB, 2, 132};

double share(const FloorCosts& costs, const FloorShape& shape) {
  return floor_extra_ns(costs, shape) / floor_gemm_ns(costs, shape);
}

double step_ms(const FloorCosts& costs, const FloorShape& shape) {
  constexpr double kNsPerMs = 1e6;
  return (floor_extra_ns(costs, shape) + floor_gemm_ns(costs, shape)) / kNsPerMs;
}

double bytes(const FloorShape& shape, std::int64_t operand_bytes) {
  return static_cast<double>((shape.m + shape.n) * shape.k * operand_bytes + 4 * shape.m * shape.n);
}

TEST(FloorCosts, AreThoseOfTheFormula) {
  const FloorShape shape{1024, 2048, 4096, 15};
  // 2 * 1024 * 2048 * 4096 = 17.18e9 operations at 2.5e3 an ns.
  EXPECT_NEAR(floor_gemm_ns(kKepler, shape), 6.872e6, 1e3);
  // 1024 * 4096 * 0.03 + 1024 * 2048 * 0.15 + 60,000
  EXPECT_NEAR(floor_extra_ns(kKepler, shape), 125'829 + 314'573 + 60'000, 1);
}

TEST(LargestFloorInteger, KeepsSumsBelowTwoToThe23rd) {
  EXPECT_EQ(largest_floor_integer(1'024), 15);
  EXPECT_EQ(largest_floor_integer(32'768), 15);  // 15 * 15 * 32768 = 7.37e6
  EXPECT_EQ(largest_floor_integer(65'536), 11);  // 11 * 11 * 65536 = 7.93e6, 12 * 12 * 65536 = 9.44e6
  EXPECT_EQ(largest_floor_integer(131'072), 7);  // 8 * 8 * 131072 is 2^23 itself
  EXPECT_EQ(largest_floor_integer(262'144), 5);
}

TEST(ChooseFloorShape, ASlowDeviceHasShallowProducts) {
  const FloorShape shape = choose_floor_shape(kKepler, {11 * kGiB, 4, 13});
  EXPECT_EQ(shape_problem(shape), std::nullopt);
  // Hashing alone takes 0.15 * 2.5e3 / (2 * k): 4.6 % at k = 4,096 and 2.3 % at 8,192; making A comes on top.
  EXPECT_EQ(shape.k, 8'192);
  EXPECT_LT(share(kKepler, shape), 0.05);
  EXPECT_GT(step_ms(kKepler, shape), 2);
  EXPECT_LT(step_ms(kKepler, shape), 250);
}

TEST(ChooseFloorShape, AFastDeviceNeedsDeepOnes) {
  const FloorShape shape = choose_floor_shape(kHopper, kOfHopper);
  EXPECT_EQ(shape_problem(shape), std::nullopt);
  // 0.008 * 8e5 / (2 * k) is 4.9 % at k = 65,536, which leaves nothing for the rest.
  EXPECT_EQ(shape.k, 131'072);
  EXPECT_EQ(shape.largest, 7);
  EXPECT_LT(share(kHopper, shape), 0.05);
  EXPECT_GE(shape.m * shape.n, std::int64_t{4} * 132 * 128 * 128);
  EXPECT_GT(step_ms(kHopper, shape), 2);
  EXPECT_LT(step_ms(kHopper, shape), 250);
}

TEST(ChooseFloorShape, OfTheSameDepthTheShortestStepThatIsGoodEnough) {
  const FloorShape chosen = choose_floor_shape(kHopper, kOfHopper);
  for (std::int64_t m = 256; m <= 65'536; m *= 2) {
    for (std::int64_t n = 256; n <= 65'536; n *= 2) {
      const FloorShape other{m, n, chosen.k, chosen.largest};
      const bool is_good = share(kHopper, other) < 0.045 && step_ms(kHopper, other) >= 2 && std::min(m, n) >= 1'024 &&
                           m * n >= std::int64_t{4} * 132 * 16'384;
      if (is_good) {
        EXPECT_LE(step_ms(kHopper, chosen), step_ms(kHopper, other) * (1 + 1e-9)) << m << " x " << n;
      }
    }
  }
}

TEST(ChooseFloorShape, KeepsAFifthOfTheMemoryFree) {
  for (const std::int64_t free_mib : {64, 512, 4'096, 16'384}) {
    const std::int64_t free_bytes = free_mib << 20U;
    const FloorShape shape = choose_floor_shape(kHopper, {free_bytes, 2, 132});
    EXPECT_EQ(shape_problem(shape), std::nullopt);
    EXPECT_LE(bytes(shape, 2), 0.8 * static_cast<double>(free_bytes)) << free_mib << " MiB";
  }
  // Nothing fits: the smallest, whose allocation then says so.
  EXPECT_EQ(choose_floor_shape(kHopper, {1 << 20U, 2, 132}), (FloorShape{256, 256, 1'024, 15}));
}

/// Made-up costs in the proportions of real devices' clocks: every one of them has a shape that is good enough.
TEST(ChooseFloorShape, MostDevicesReachTheFivePercent) {
  struct Priced {
    const char* name = nullptr;
    FloorCosts costs;
    FloorBounds bounds;
  };
  for (const Priced& kind : {Priced{"P100 fp32", {0.008, 0.05, 30'000, 9}, {15 * kGiB, 4, 56}},
                             Priced{"T4 fp16", {0.008, 0.035, 30'000, 40}, {14 * kGiB, 2, 40}},
                             Priced{"V100 fp16", {0.003, 0.02, 25'000, 95}, {15 * kGiB, 2, 80}},
                             Priced{"A100 bf16", {0.0015, 0.015, 20'000, 280}, {39 * kGiB, 2, 108}},
                             Priced{"RTX 5090 bf16", {0.0015, 0.007, 20'000, 210}, {30 * kGiB, 2, 170}},
                             Priced{"H100 tf32", {0.0015, 0.009, 20'000, 400}, {78 * kGiB, 4, 132}}}) {
    const FloorShape shape = choose_floor_shape(kind.costs, kind.bounds);
    EXPECT_EQ(shape_problem(shape), std::nullopt) << kind.name;
    EXPECT_LT(share(kind.costs, shape), 0.05) << kind.name;
    EXPECT_TRUE(step_ms(kind.costs, shape) >= 2 && step_ms(kind.costs, shape) <= 250) << kind.name;
    EXPECT_LE(bytes(shape, kind.bounds.operand_bytes), 0.8 * static_cast<double>(kind.bounds.free_bytes)) << kind.name;
    EXPECT_EQ(draws_of_device(1, shape.k), 64U) << kind.name;
  }
}

/// Hashing so slow that no depth hides it.
TEST(ChooseFloorShape, WhereNothingIsGoodEnoughManyDevicesGetShallowerProducts) {
  constexpr FloorCosts kSlowHash{0.0006, 0.05, 20'000, 800};
  const FloorShape alone = choose_floor_shape(kSlowHash, kOfHopper);
  EXPECT_GT(share(kSlowHash, alone), 0.05);
  EXPECT_EQ(alone.k, 262'144);
  FloorBounds eight = kOfHopper;
  eight.devices = 8;
  const FloorShape among_eight = choose_floor_shape(kSlowHash, eight);
  // Of eight devices the collector can afford a few tiles each at that depth, which prove less.
  EXPECT_LT(among_eight.k, alone.k);
  EXPECT_GT(proven_share(draws_of_device(8, among_eight.k)) / (1 + share(kSlowHash, among_eight)),
            proven_share(draws_of_device(8, alone.k)) / (1 + share(kSlowHash, alone)));
}

TEST(ChooseFloorShape, ACollectorCanCheckIt) {
  FloorBounds many = kOfHopper;
  for (many.devices = 1; many.devices <= 64; many.devices *= 2)
    EXPECT_TRUE(can_be_checked(many.devices, choose_floor_shape({0.0006, 0.05, 20'000, 800}, many).k)) << many.devices;
}

TEST(ChooseFloorShape, AStepMayBeBoundedBelowTwoMilliseconds) {
  FloorBounds bounds = kOfHopper;
  bounds.most_flop = 0x1p28;
  const FloorShape shape = choose_floor_shape(kHopper, bounds);
  EXPECT_EQ(shape_problem(shape), std::nullopt);
  EXPECT_LE(floor_flop(shape), 0x1p28);
}

}  // namespace
}  // namespace gpuassay
