#include "agent/http_date.h"

#include <gtest/gtest.h>

namespace gpuassay {
namespace {

TEST(HttpDate, NamesAnInstant) {
  EXPECT_EQ(http_date_s("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
  EXPECT_EQ(http_date_s("Sun, 06 Nov 1994 08:49:37 GMT"), 784'111'777);
  EXPECT_EQ(http_date_s("Thu, 29 Feb 2024 23:59:59 GMT"), 1'709'251'199);
}

TEST(HttpDate, NothingElseDoes) {
  for (const char* text :
       {"", "Sun, 06 Nov 1994 08:49:37", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Sun, 06 nov 1994 08:49:37 GMT", "Thu, 29 Feb 2023 00:00:00 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 00 Nov 1994 08:49:37 GMT"}) {
    EXPECT_FALSE(http_date_s(text)) << text;
  }
}

}  // namespace
}  // namespace gpuassay
