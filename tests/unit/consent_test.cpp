#include "agent/consent.h"

#include <gtest/gtest.h>

namespace gpuassay {
namespace {

TEST(Consent, IsRememberedWithVersionCollectorAndTime) {
  const std::string text = consent_text({true, 1, "https://c.example", "2026-01-01T00:00:00.000Z"});
  EXPECT_EQ(text,
            "{\"answered_at\":\"2026-01-01T00:00:00.000Z\",\"collector\":\"https://c.example\",\"granted\":true,"
            "\"question_version\":1}\n");
  const auto read = parse_consent(text);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->granted);
  EXPECT_EQ(read->question_version, 1);
  EXPECT_EQ(read->collector, "https://c.example");
  EXPECT_EQ(read->answered_at, "2026-01-01T00:00:00.000Z");
}

TEST(Consent, ADamagedFileIsNoConsent) {
  for (const char* const text :
       {"", "{", "[]", "true", "{}", R"({"granted":"true","question_version":1,"collector":"c","answered_at":"t"})",
        R"({"granted":true,"question_version":-1,"collector":"c","answered_at":"t"})",
        R"({"granted":true,"question_version":1.0,"collector":"c","answered_at":"t"})",
        R"({"granted":true,"question_version":1,"collector":7,"answered_at":"t"})",
        R"({"granted":true,"question_version":1,"collector":"c"})"})
    EXPECT_FALSE(parse_consent(text)) << text;
}

TEST(Consent, AnotherVersionOrCollectorIsAskedAgain) {
  EXPECT_TRUE(answers({true, kConsentQuestionVersion, "https://c", "t"}, "https://c"));
  EXPECT_TRUE(answers({false, kConsentQuestionVersion, "https://c", "t"}, "https://c")) << "a no is an answer";
  EXPECT_FALSE(answers({true, kConsentQuestionVersion - 1, "https://c", "t"}, "https://c"));
  EXPECT_FALSE(answers({true, kConsentQuestionVersion + 1, "https://c", "t"}, "https://c"));
  EXPECT_FALSE(answers({true, kConsentQuestionVersion, "https://d", "t"}, "https://c"));
  const auto huge = parse_consent(
      R"({"granted":true,"question_version":18446744073709551615,"collector":"https://c","answered_at":"t"})");
  ASSERT_TRUE(huge);
  EXPECT_FALSE(answers(*huge, "https://c"));
}

TEST(Consent, TheQuestionSaysWhatWhereAndUnderWhichLicence) {
  const ConsentSubject subject{"https://c", "https://c/r/1", "gpuassay --data-dir /a/long/path show 1 --json",
                               "gpuassay --data-dir /a/long/path upload --delete 1"};
  TextStyle narrow;
  narrow.columns = 60;
  const std::string question = consent_question(subject, narrow);
  for (const char* const part : {"https://c?", "https://c/r/1\n", "path show 1 --json\n", "upload --delete 1\n",
                                 "CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/", "remembered", "signed"})
    EXPECT_NE(question.find(part), std::string::npos) << part;
  EXPECT_EQ(question.find("signed with this machine's key; it holds no host name"), std::string::npos) << "wrapped";
}

TEST(Consent, WhatTheQuestionNamesCannotSteerTheTerminal) {
  const std::string question = consent_question({"https://c\x1b[31m", "l\x07", "s\x9b", "d\r"}, {});
  EXPECT_EQ(question.find_first_of("\x1b\x07\r"), std::string::npos);
}

TEST(Consent, OnlyYesIsYes) {
  for (const char* const yes : {"y", "Y", "yes", "YES\n", "  y \r\n"}) EXPECT_TRUE(is_yes(yes)) << yes;
  for (const char* const no : {"", "\n", "n", "no", "yy", "ye s", "ok", "1", "yes!", "9", "true"})
    EXPECT_FALSE(is_yes(no)) << no;
}

TEST(Consent, IsAskedAtATerminalOnlyAndWhenNothingHasDecided) {
  AskingSituation terminal;
  terminal.stdin_terminal = terminal.stderr_terminal = true;
  EXPECT_TRUE(may_ask(terminal));
  EXPECT_FALSE(may_ask({}));
  for (bool AskingSituation::*member :
       {&AskingSituation::stdin_terminal, &AskingSituation::stderr_terminal, &AskingSituation::in_foreground}) {
    AskingSituation situation = terminal;
    situation.*member = false;
    EXPECT_FALSE(may_ask(situation));
  }
  for (bool AskingSituation::*member :
       {&AskingSituation::upload_given, &AskingSituation::offline, &AskingSituation::json, &AskingSituation::quiet}) {
    AskingSituation situation = terminal;
    situation.*member = true;
    EXPECT_FALSE(may_ask(situation));
  }
}

}  // namespace
}  // namespace gpuassay
