#include "agent/platform/network_wait.h"

#include <gtest/gtest.h>

namespace gpuassay {
namespace {

int pauses_until(int there_after, std::chrono::seconds limit) {
  int pauses = 0;
  wait_for_network([&] { return pauses >= there_after; }, limit, [&](std::chrono::seconds) { ++pauses; });
  return pauses;
}

TEST(NetworkWait, EndsWhenThereIsOneOrNever) {
  EXPECT_EQ(pauses_until(0, kNetworkWait), 0);
  EXPECT_EQ(pauses_until(5, kNetworkWait), 5);
  EXPECT_EQ(pauses_until(1000, kNetworkWait), 30);
  EXPECT_EQ(pauses_until(1000, std::chrono::seconds(0)), 0);
}

TEST(NetworkWait, TheMachineItselfIsNoNetwork) {
  EXPECT_FALSE(has_network({}));
  EXPECT_FALSE(has_network({"127.0.0.1", "127.1.2.3"}));
  EXPECT_TRUE(has_network({"127.0.0.1", "10.0.0.2"}));
  EXPECT_TRUE(has_network({"169.254.3.4"}));
}

}  // namespace
}  // namespace gpuassay
