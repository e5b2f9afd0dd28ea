#include "agent/dynlib/in_child.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <thread>

namespace gpuassay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(InChild, AnswersOfAnyLengthComeBackWhole) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{5000}, kMaxAnswerBytes - 2}) {
    const ChildAnswer answer = run_in_child(seconds(10), [&] { return std::string(size, 'x'); });
    EXPECT_EQ(answer.end, ChildEnd::answered) << size;
    EXPECT_EQ(answer.text, std::string(size, 'x'));
  }
}

TEST(InChild, AnExceptionIsARefusalWithItsMessage) {
  const ChildAnswer answer = run_in_child(seconds(10), []() -> std::string { throw std::runtime_error("no such"); });
  EXPECT_EQ(answer.end, ChildEnd::refused);
  EXPECT_EQ(answer.text, "no such");
}

TEST(InChild, ACrashCostsTheChildOnly) {
  const ChildAnswer answer = run_in_child(seconds(10), []() -> std::string {
    std::signal(SIGSEGV, SIG_DFL);
    (void)raise(SIGSEGV);
    return "not reached";
  });
  EXPECT_EQ(answer.end, ChildEnd::crashed);
  EXPECT_EQ(answer.text, "killed by signal 11");
}

TEST(InChild, AnExitIsNoAnswer) {
  const ChildAnswer answer = run_in_child(seconds(10), []() -> std::string { _exit(3); });
  EXPECT_EQ(answer.end, ChildEnd::crashed);
  EXPECT_EQ(answer.text, "ended with status 3");
}

TEST(InChild, AHangIsEndedInTime) {
  const auto start = std::chrono::steady_clock::now();
  const ChildAnswer answer = run_in_child(milliseconds(200), []() -> std::string {
    for (;;) std::this_thread::sleep_for(seconds(1));
  });
  EXPECT_EQ(answer.end, ChildEnd::hung);
  EXPECT_EQ(answer.text, "did not end within 0.2 s");
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(8));
}

TEST(InChild, AnAnswerThatIsTooLongIsNotOurs) {
  const ChildAnswer answer = run_in_child(seconds(10), [] { return std::string(4 * kMaxAnswerBytes, 'x'); });
  EXPECT_EQ(answer.end, ChildEnd::crashed);
}

TEST(InChild, NothingOfTheChildReachesTheCaller) {
  int value = 1;
  const ChildAnswer answer = run_in_child(seconds(10), [&] {
    value = 2;
    setenv("GPUASSAY_IN_CHILD_TEST", "1", 1);
    return std::to_string(value);
  });
  EXPECT_EQ(answer.text, "2");
  EXPECT_EQ(value, 1);
  EXPECT_EQ(getenv("GPUASSAY_IN_CHILD_TEST"), nullptr);
  // The child was waited for: no zombie is left.
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(InChild, WhatALibraryPrintsIsKeptFromStandardOutput) {
  ::testing::internal::CaptureStdout();
  const ChildAnswer answer = run_in_child(seconds(10), [] {
    (void)std::puts("noise");
    (void)std::fflush(stdout);
    return std::string("done");
  });
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(answer.text, "done");
}

}  // namespace
}  // namespace gpuassay
