#include "agent/verdicts_clock.h"

#include <gtest/gtest.h>

namespace gpuassay {
namespace {

std::vector<Verdict> verdicts_of(const char* started_at, const char* finished_at, double duration_s) {
  Result result;
  result.started_at = started_at;
  result.finished_at = finished_at;
  result.duration_s = duration_s;
  std::vector<Verdict> verdicts;
  judge_clock(result, verdicts);
  return verdicts;
}

TEST(VerdictsClock, AClockThatGoesRightIsNotMentioned) {
  EXPECT_TRUE(verdicts_of("2026-11-26T10:00:00.000Z", "2026-11-26T10:01:30.400Z", 90.1).empty());
  EXPECT_TRUE(verdicts_of("2026-11-26T10:00:00.000Z", "2026-11-26T10:00:00.000Z", 0).empty());
}

TEST(VerdictsClock, AClockBeforeThisProgramIsWrong) {
  const auto verdicts = verdicts_of("1970-01-02T00:00:00.000Z", "1970-01-02T00:01:30.000Z", 90);
  ASSERT_EQ(verdicts.size(), 1U);
  EXPECT_EQ(verdicts[0].code, "clock_wrong");
  EXPECT_NE(verdicts[0].message.find("1970-01-02"), std::string::npos);
}

TEST(VerdictsClock, AClockThatWasSetMeanwhileJumped) {
  const auto forward = verdicts_of("2026-11-26T10:00:00.000Z", "2026-11-26T11:01:30.000Z", 90);
  ASSERT_EQ(forward.size(), 1U);
  EXPECT_EQ(forward[0].code, "clock_jumped");
  EXPECT_EQ(forward[0].message, "this machine's clock was set 3600 s forward during the run");
  const auto back = verdicts_of("2026-11-26T10:00:00.000Z", "2026-11-26T09:00:00.000Z", 90);
  ASSERT_EQ(back.size(), 1U);
  EXPECT_EQ(back[0].message, "this machine's clock was set 3690 s back during the run");
}

}  // namespace
}  // namespace gpuassay
