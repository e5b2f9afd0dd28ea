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

constexpr std::string_view kHeading =
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
constexpr std::string_view kEthernet = "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n";
constexpr std::string_view kBridge = "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";
constexpr std::string_view kLinkLocal = "eth0\t0000FEA9\t00000000\t0001\t0\t0\t1000\t0000FFFF\t0\t0\t0\n";

TEST(NetworkWait, ADefaultRouteIsANetwork) {
  EXPECT_TRUE(has_default_route(std::string(kHeading).append(kBridge).append(kEthernet)));
}

TEST(NetworkWait, TheMachineAndItsNeighboursAreNone) {
  EXPECT_FALSE(has_default_route(""));
  EXPECT_FALSE(has_default_route(std::string(kHeading).append(kBridge).append(kLinkLocal)));
  EXPECT_FALSE(has_default_route("eth0\t00000000\n\n"));
  EXPECT_FALSE(has_default_route(std::string(kEthernet).replace(0, 4, "lo")));
}

}  // namespace
}  // namespace gpuassay
