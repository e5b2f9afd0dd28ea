#include "collector/network_shares.h"

#include <gtest/gtest.h>

namespace gpuassay {
namespace {

TEST(NetworkShares, EachHasItsOwn) {
  NetworkShares shares(2);
  EXPECT_TRUE(shares.enter("192.0.2"));
  EXPECT_TRUE(shares.enter("192.0.2"));
  EXPECT_FALSE(shares.enter("192.0.2"));
  EXPECT_TRUE(shares.enter("198.51.100"));
  shares.leave("192.0.2");
  EXPECT_TRUE(shares.enter("192.0.2"));
  EXPECT_FALSE(shares.enter("192.0.2"));
}

TEST(NetworkShares, RemembersNobodyWhoHasGone) {
  NetworkShares shares(1);
  for (int number = 0; number < 1000; ++number) {
    const std::string network = std::to_string(number);
    ASSERT_TRUE(shares.enter(network));
    ASSERT_FALSE(shares.enter(network));
    shares.leave(network);
  }
  EXPECT_EQ(shares.networks(), 0U);
  shares.leave("never came");
  EXPECT_FALSE(NetworkShares(0).enter("192.0.2"));
}

}  // namespace
}  // namespace gpuassay
