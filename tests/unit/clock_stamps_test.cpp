#include "agent/backends/clock_stamps.h"

#include <gtest/gtest.h>

namespace gpuassay {
namespace {

using Stamps = std::vector<kernels::ClockStamp>;

TEST(ClockStamps, CyclesOverNanosecondsOfTheMedianMultiprocessor) {
  const Stamps before{{100, 1'000}, {200, 1'000}, {300, 1'000}};
  const Stamps after{
      {100 + 150'000'000, 100'001'000}, {200 + 141'000'000, 100'001'000}, {300 + 120'000'000, 100'001'000}};
  const auto clock = clock_between(before, after);
  ASSERT_TRUE(clock);
  EXPECT_EQ(clock->sm_clock_mhz, 1410);
  EXPECT_EQ(clock->multiprocessors, 3);
}

TEST(ClockStamps, AMultiprocessorWithoutBothStampsDoesNotCount) {
  const Stamps before{{0, 0}, {200, 1'000}, {300, 1'000}};
  const Stamps after{{5, 100'001'000}, {200 + 141'000'000, 100'001'000}, {0, 0}};
  const auto clock = clock_between(before, after);
  ASSERT_TRUE(clock);
  EXPECT_EQ(clock->multiprocessors, 1);
}

TEST(ClockStamps, TooShortOrBackwardsSaysNothing) {
  EXPECT_FALSE(clock_between(Stamps{{100, 1'000}}, Stamps{{200, 5'000'000}})) << "a timer may step by a millisecond";
  EXPECT_FALSE(clock_between(Stamps{{200, 1'000}}, Stamps{{100, 100'001'000}})) << "the counter was reset";
  EXPECT_FALSE(clock_between(Stamps{}, Stamps{}));
}

}  // namespace
}  // namespace gpuassay
