#include "agent/retry_policy.h"

#include <gtest/gtest.h>

namespace gpuassay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(RetryPolicy, JitterIsAnyPartOfADoublingCeiling) {
  EXPECT_EQ(jittered_delay(1, 0), milliseconds{0});
  EXPECT_EQ(jittered_delay(1, 0.5), milliseconds{250});
  EXPECT_EQ(jittered_delay(1, 1), milliseconds{500});
  EXPECT_EQ(jittered_delay(2, 1), milliseconds{1'000});
  EXPECT_EQ(jittered_delay(5, 0.25), milliseconds{2'000});
  EXPECT_EQ(jittered_delay(10, 1), milliseconds{256'000});
}

TEST(RetryPolicy, NoDelayIsLongerThanFiveMinutes) {
  for (const int attempts : {11, 31, 32, 64, 1'000'000'000}) {
    EXPECT_EQ(jittered_delay(attempts, 1), milliseconds{300'000}) << attempts;
    EXPECT_EQ(jittered_delay(attempts, 0), milliseconds{0}) << attempts;
    EXPECT_EQ(next_delay(attempts, 1, milliseconds{300'000}), milliseconds{300'000}) << attempts;
  }
  EXPECT_EQ(jittered_delay(0, 1), milliseconds{500});
  EXPECT_EQ(jittered_delay(-5, 7), milliseconds{500});
}

TEST(RetryPolicy, JitterComesOnTopOfWhatIsAskedFor) {
  EXPECT_EQ(next_delay(1, 0.5, seconds{7}), milliseconds{7'250});
  EXPECT_EQ(next_delay(1, 0, milliseconds{0}), milliseconds{0});
}

TEST(RetryPolicy, RetryAfterInSeconds) {
  EXPECT_EQ(retry_after("0", ""), seconds{0});
  EXPECT_EQ(retry_after("120", ""), seconds{120});
  EXPECT_EQ(retry_after("301", ""), seconds{300});
  EXPECT_EQ(retry_after("9223372036854775807", ""), seconds{300});
}

TEST(RetryPolicy, RetryAfterAsADateIsComparedWithTheServersClock) {
  constexpr const char* kNow = "Sun, 06 Nov 1994 08:49:37 GMT";
  EXPECT_EQ(retry_after("Sun, 06 Nov 1994 08:50:00 GMT", kNow), seconds{23});
  EXPECT_EQ(retry_after("Mon, 07 Nov 1994 00:00:00 GMT", kNow), seconds{300});
  EXPECT_EQ(retry_after("Thu, 01 Dec 1994 00:00:01 GMT", "Wed, 30 Nov 1994 23:59:59 GMT"), seconds{2});
  EXPECT_EQ(retry_after("Sun, 06 Nov 1994 08:49:00 GMT", kNow), seconds{0}) << "in the past";
  EXPECT_EQ(retry_after("Sun, 06 Nov 1994 08:50:00 GMT", ""), seconds{0}) << "no clock to compare with";
}

TEST(RetryPolicy, WhatCannotBeUnderstoodAsksForNothing) {
  constexpr const char* kNow = "Sun, 06 Nov 1994 08:49:37 GMT";
  for (const char* const header :
       {"", " ", "-1", "+1", "1.5", "1s", "soon", "0x10", "99999999999999999999", "Sun, 31 Feb 2027 08:50:00 GMT",
        "Sun, 06 Nov 1994 08:50:00 CET", "Sunday, 06-Nov-94 08:50:00 GMT", "Sun Nov  6 08:50:00 1994",
        "Sun, 06 Xyz 1994 08:50:00 GMT", "Sun, -6 Nov 1994 08:50:00 GMT"})
    EXPECT_EQ(retry_after(header, kNow), seconds{0}) << header;
}

TEST(RetryPolicy, WhichStatusesPass) {
  for (const int status : {408, 429, 500, 502, 503, 504, 599}) {
    EXPECT_TRUE(is_retryable(status)) << status;
    EXPECT_FALSE(is_final_refusal(status)) << status;
  }
  for (const int status : {400, 401, 403, 404, 409, 413, 422, 451}) {
    EXPECT_FALSE(is_retryable(status)) << status;
    EXPECT_TRUE(is_final_refusal(status)) << status;
  }
  for (const int status : {200, 204, 301, 307, 407}) {
    EXPECT_FALSE(is_retryable(status)) << status;
    EXPECT_FALSE(is_final_refusal(status)) << status;
  }
}

}  // namespace
}  // namespace gpuassay
