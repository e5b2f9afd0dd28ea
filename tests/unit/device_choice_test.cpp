#include "agent/device_choice.h"

#include <gtest/gtest.h>

namespace gpuassay {
namespace {

using Kind = DeviceChoice::Kind;

TEST(DeviceChoice, Words) {
  EXPECT_EQ(parse_device_choice("auto")->kind, Kind::automatic);
  EXPECT_EQ(parse_device_choice("cpu")->kind, Kind::cpu);
  EXPECT_EQ(parse_device_choice("cuda")->kind, Kind::cuda);
}

TEST(DeviceChoice, NumbersAreSortedAndNamedOnce) {
  const auto choice = parse_device_choice("3,0,3");
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->kind, Kind::some);
  EXPECT_EQ(choice->indices, (std::vector<int>{0, 3}));
}

TEST(DeviceChoice, AnythingElseIsRefused) {
  for (const char* text : {"", "gpu", "0,", ",1", "-1", "1.5", "1000", "0 1", "CPU", "0x1", "99999999999999999999"}) {
    EXPECT_FALSE(parse_device_choice(text)) << text;
  }
}

}  // namespace
}  // namespace gpuassay
