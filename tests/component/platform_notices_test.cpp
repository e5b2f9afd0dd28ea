// From a metadata service that announces the end of this machine to the descriptor that ends a run.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "agent/platform/detection.h"
#include "agent/platform/notice_watch.h"
#include "tests/support/raw_socket.h"
#include "tests/support/scratch_root.h"

namespace gpuassay {
namespace {

using test::RawSocket;
using test::ScriptedServer;
using Clock = std::chrono::steady_clock;

bool readable(int fd, int patience_ms) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, patience_ms) == 1;
}

TEST(NoticePipe, CarriesOneLineFromAnotherProcess) {
  NoticePipe notices;
  EXPECT_FALSE(readable(notices.fd(), 0));
  EXPECT_FALSE(notices.announced());
  const pid_t child = ::fork();
  if (child == 0) {
    notices.announce("aws announced\x1b[2J " + std::string(1000, 'x'));
    ::_exit(0);
  }
  ASSERT_TRUE(readable(notices.fd(), 30'000));
  ASSERT_TRUE(notices.announced());
  EXPECT_TRUE(notices.announced()->starts_with("aws announced[2J xxx")) << *notices.announced();
  EXPECT_LE(notices.announced()->size(), 256U);
  EXPECT_TRUE(notices.announced());  // still
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
}

TEST(NoticePipe, TheEndOfTheOtherProcessIsNoNotice) {
  NoticePipe notices;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(readable(notices.fd(), 0));
  EXPECT_FALSE(notices.announced());
}

/// A machine whose firmware says that it is Google's, and a service that answers as `preempted` says.
struct Preempted {
  test::ScratchRoot root;
  std::atomic<int> asked = 0;
  std::string preempted = "TRUE", preemptible = "TRUE";
  ScriptedServer server{[this](RawSocket& socket, int) { answer(socket); }};

  Preempted() { root.write("/sys/class/dmi/id/product_name", "Google Compute Engine\n"); }

  void answer(RawSocket& socket) {
    const std::string request = socket.read_message();
    const auto is_about = [&](std::string_view leaf) { return request.find(leaf) != std::string::npos; };
    std::string value = "projects/1/zones/us-central1-a";
    if (is_about("scheduling/")) value = is_about("preemptible") ? preemptible : "";
    if (is_about("instance/preempted")) ++asked, value = preempted;
    socket.send(test::http_reply(200, value, "Content-Type: text/plain\r\nMetadata-Flavor: Google\r\n"));
  }
  [[nodiscard]] DetectionInputs inputs(MetadataUse use) const {
    return {SystemRoot(root.path()), {}, {{"169.254.169.254", {"127.0.0.1", server.port()}}}, {}, true, use};
  }
};

TEST(PlatformNotices, ComeThroughTheProcessThatAsked) {
  Preempted machine;
  {
    PlatformDetection detection(machine.inputs(MetadataUse::describe_and_watch));
    ASSERT_NE(detection.notices(), nullptr);
    ASSERT_TRUE(readable(detection.notices()->fd(), 30'000));
    EXPECT_EQ(detection.notices()->announced(), "gcp announced that this machine ends soon");
    // What the process answered first is there as well.
    EXPECT_TRUE(detection.wait_until(Clock::now() + std::chrono::seconds(30)));
    EXPECT_EQ(detection.facts().values.at(PlatformField::pricing_model), (Fact{"spot", "metadata"}));
  }
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);  // no child is left
}

TEST(PlatformNotices, WhileThereIsNoneTheProcessWaitsAndEndsWithItsObject) {
  Preempted machine;
  machine.preempted = "FALSE";
  {
    PlatformDetection detection(machine.inputs(MetadataUse::describe_and_watch));
    EXPECT_TRUE(detection.wait_until(Clock::now() + std::chrono::seconds(30)));
    const auto limit = Clock::now() + std::chrono::seconds(30);
    while (machine.asked == 0 && Clock::now() < limit) ::usleep(1000);
    EXPECT_EQ(machine.asked, 1);
    EXPECT_FALSE(readable(detection.notices()->fd(), 0));
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), 0);  // it is there still
  }
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST(PlatformNotices, NobodyWatchesAMachineOnDemandOrWhenNotAsked) {
  Preempted machine;
  machine.preemptible = "FALSE";
  PlatformDetection on_demand(machine.inputs(MetadataUse::describe_and_watch));
  EXPECT_TRUE(on_demand.wait_until(Clock::now() + std::chrono::seconds(30)));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);  // reaped with its answer
  EXPECT_FALSE(readable(on_demand.notices()->fd(), 0));
  machine.preemptible = "TRUE";
  PlatformDetection described(machine.inputs(MetadataUse::describe));
  EXPECT_EQ(described.notices(), nullptr);
  EXPECT_TRUE(described.wait_until(Clock::now() + std::chrono::seconds(30)));
  PlatformDetection offline(machine.inputs(MetadataUse::none));
  EXPECT_EQ(offline.notices(), nullptr);
  EXPECT_EQ(machine.asked, 0);
}

}  // namespace
}  // namespace gpuassay
