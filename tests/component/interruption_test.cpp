// What ends a run before its time: real signals, and notices through a real pipe.
#include "agent/interruption.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <csignal>

namespace gpuassay {
namespace {

bool readable(const Interruption& interruption) {
  pollfd waiting{interruption.fd(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) == 1;
}

TEST(Interruption, ASignalAsksToStop) {
  NoticePipe notices;
  for (NoticePipe* watched : {static_cast<NoticePipe*>(nullptr), &notices}) {
    Interruption interruption(watched);
    EXPECT_FALSE(readable(interruption));
    ASSERT_EQ(::raise(SIGTERM), 0);
    EXPECT_TRUE(readable(interruption));
    EXPECT_TRUE(readable(interruption));  // until somebody acts on it
    EXPECT_EQ(interruption.reason(), "the run was asked to stop");
  }
}

TEST(Interruption, ANoticeSaysWhoAndWhen) {
  NoticePipe notices;
  notices.announce("aws announced that this machine ends at 2026-01-02T03:04:05Z");
  Interruption interruption(&notices);
  EXPECT_TRUE(readable(interruption));
  // The signal that comes with it is about the same.
  ASSERT_EQ(::raise(SIGTERM), 0);
  EXPECT_EQ(interruption.reason(), "aws announced that this machine ends at 2026-01-02T03:04:05Z");
}

}  // namespace
}  // namespace gpuassay
