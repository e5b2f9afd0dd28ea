#include "collector/rate_limit.h"

#include <gtest/gtest.h>

#include "collector/metrics.h"

namespace gpuassay {
namespace {

TEST(RateLimiterTest, ABurstThenTheSteadyRate) {
  RateLimiter limiter({60, 3});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.wait_s("a", 1000), std::nullopt);
  EXPECT_EQ(limiter.wait_s("a", 1000), 60) << "one a minute";
  EXPECT_EQ(limiter.wait_s("a", 31'000), 30);
  EXPECT_EQ(limiter.wait_s("b", 1000), std::nullopt) << "senders do not share";
  EXPECT_EQ(limiter.wait_s("a", 61'000), std::nullopt);
  EXPECT_EQ(limiter.wait_s("a", 61'000), 60);
}

TEST(RateLimiterTest, AClockThatGoesBackLocksNobodyOut) {
  RateLimiter limiter({60, 3});
  constexpr std::int64_t kDayMs = 86'400'000;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.wait_s("a", kDayMs), std::nullopt);
  EXPECT_EQ(limiter.wait_s("a", 0), 60);
  EXPECT_EQ(limiter.wait_s("a", 60'000), 60) << "the day is not held against it, a minute is";
}

TEST(RateLimiterTest, WhatCameToNothingIsGivenBack) {
  RateLimiter limiter({60, 1});
  EXPECT_EQ(limiter.wait_s("a", 0), std::nullopt);
  limiter.give_back("a");
  EXPECT_EQ(limiter.wait_s("a", 0), std::nullopt);
  EXPECT_EQ(limiter.wait_s("a", 0), 60);
  limiter.give_back("stranger");
  EXPECT_EQ(limiter.wait_s("a", 0), 60);
}

TEST(RateLimiterTest, WithoutALimitNobodyWaits) {
  RateLimiter limiter({0, 1});
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(limiter.wait_s("a", 0), std::nullopt);
}

TEST(RateLimiterTest, ManySendersTakeLittleMemoryAndAreForgotten) {
  RateLimiter limiter({3600, 1});
  for (std::size_t i = 0; i < RateLimiter::kMostSenders; ++i)
    ASSERT_EQ(limiter.wait_s(std::to_string(i), 0), std::nullopt);
  EXPECT_EQ(limiter.wait_s("new", 0), std::nullopt);
  EXPECT_EQ(limiter.wait_s("newer", 0), 1) << "new ones share what is left";
  EXPECT_EQ(limiter.wait_s("newest", 5000), std::nullopt) << "quiet ones are forgotten";
}

TEST(NetworkOf, IsTheNetworkOfAnAddress) {
  EXPECT_EQ(network_of("192.0.2.77"), "192.0.2");
  EXPECT_EQ(network_of("::ffff:192.0.2.77"), "192.0.2");
  EXPECT_EQ(network_of("2001:db8:1:2::3"), "2001:0db8:0001");
  EXPECT_EQ(network_of("nonsense"), "nonsense");
}

TEST(MetricsTest, CountsByRouteAndStatus) {
  Metrics metrics;
  metrics.count_request("/v1/results", 201, std::chrono::milliseconds(3));
  metrics.count_request("/v1/results", 201, std::chrono::seconds(60));
  metrics.count_upload("created");
  metrics.count_quarantined();
  const std::string text = metrics.text({2.5, 7, 3, 4});
  for (const char* line :
       {"gpuassay_http_requests_total{route=\"/v1/results\",status=\"201\"} 2\n",
        "gpuassay_http_request_seconds_bucket{route=\"/v1/results\",le=\"0.001\"} 0\n",
        "gpuassay_http_request_seconds_bucket{route=\"/v1/results\",le=\"0.005\"} 1\n",
        "gpuassay_http_request_seconds_bucket{route=\"/v1/results\",le=\"+Inf\"} 2\n",
        "gpuassay_uploads_total{outcome=\"created\"} 1\n", "gpuassay_quarantined_total 1\n",
        "gpuassay_log_lines_dropped_total 7\n", "gpuassay_attestations_total{outcome=\"verified\"} 3\n",
        "gpuassay_attestations_total{outcome=\"refused\"} 4\n", "gpuassay_aggregates_age_seconds 2.5\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  EXPECT_NE(metrics.text({-0.5, 0}).find("gpuassay_aggregates_age_seconds 0\n"), std::string::npos) << "never negative";
  EXPECT_EQ(metrics.text({}).find("aggregates_age"), std::string::npos);
}

}  // namespace
}  // namespace gpuassay
