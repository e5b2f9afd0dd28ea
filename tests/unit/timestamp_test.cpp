#include "core/timestamp.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace gpuassay {
namespace {

TEST(Timestamp, ReadsKnownInstants) {
  EXPECT_EQ(parse_rfc3339_ms("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(parse_rfc3339_ms("2000-02-29T12:34:56.789Z"), 951'827'696'789);
  EXPECT_EQ(parse_rfc3339_ms("2038-01-19T03:14:08Z"), 2'147'483'648'000);
  EXPECT_EQ(parse_rfc3339_ms("1969-12-31T23:59:59.999Z"), -1);
  EXPECT_EQ(parse_rfc3339_ms("2022-07-07T02:00:00+02:00"), parse_rfc3339_ms("2022-07-07T00:00:00Z"));
  EXPECT_EQ(parse_rfc3339_ms("2022-07-06T20:30:00-03:30"), parse_rfc3339_ms("2022-07-07T00:00:00Z"));
  EXPECT_EQ(parse_rfc3339_ms("2022-07-07T00:00:00.1239999Z") % 1000, 123);
}

TEST(Timestamp, WritesWhatItReads) {
  for (const char* const text :
       {"0000-01-01T00:00:00.000Z", "0001-03-01T00:00:00.000Z", "1900-02-28T23:59:59.999Z", "2000-02-29T00:00:00.000Z",
        "2022-07-07T13:05:09.007Z", "2100-03-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"})
    EXPECT_EQ(format_rfc3339_ms(parse_rfc3339_ms(text)), text);
}

TEST(Timestamp, RefusesWhatIsNoInstant) {
  for (const char* const text :
       {"", "2022-07-07", "2022-7-07T00:00:00Z", "2022-07-07T00:00:00", "2022-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
        "2022-13-01T00:00:00Z", "2022-00-01T00:00:00Z", "2022-04-31T00:00:00Z", "2022-07-07T24:00:00Z",
        "2022-07-07T00:60:00Z", "2022-07-07T00:00:61Z", "2022-07-07T00:00:00.Z", "2022-07-07T00:00:00Zx",
        "2022-07-07T00:00:00+24:00", "-022-07-07T00:00:00Z", "2022-07-07T00:00:00+0200"})
    EXPECT_THROW(parse_rfc3339_ms(text), Error) << text;
}

TEST(Timestamp, WhatCannotBeWrittenIsNotRead) {
  for (const char* const text :
       {"9999-12-31T23:59:60Z", "9999-12-31T23:59:60.999Z", "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01"})
    EXPECT_THROW(parse_rfc3339_ms(text), Error) << text;
  EXPECT_EQ(format_rfc3339_ms(parse_rfc3339_ms("9999-12-31T23:59:60.999+00:01")), "9999-12-31T23:59:00.999Z");
  EXPECT_EQ(format_rfc3339_ms(parse_rfc3339_ms("0000-01-01T00:00:00-00:01")), "0000-01-01T00:01:00.000Z");
  EXPECT_THROW(format_rfc3339_ms(parse_rfc3339_ms("0000-01-01T00:00:00Z") - 1), Error);
}

TEST(Timestamp, RefusesToWriteYearsOfFiveDigits) { EXPECT_THROW(format_rfc3339_ms(253'402'300'800'000), Error); }

}  // namespace
}  // namespace gpuassay
