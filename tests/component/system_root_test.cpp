// Reading below an injectable root: nothing outside it, nothing that blocks.
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <string>
#include <vector>

#include "agent/system_root.h"
#include "tests/support/scratch_root.h"

namespace gpuassay {
namespace {

using Names = std::vector<std::string>;

class SystemRootTest : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) { scratch_.write(path, text); }
  [[nodiscard]] SystemRoot root() const { return SystemRoot(scratch_.path()); }

  test::ScratchRoot scratch_;
};

TEST_F(SystemRootTest, ReadsBelowTheRootOnly) {
  write("/proc/a", "text\n");
  EXPECT_EQ(root().read_text("/proc/a"), "text\n");
  EXPECT_EQ(root().read_trimmed("/proc/a"), "text");
  EXPECT_FALSE(root().read_text("/proc/b").has_value());
  EXPECT_FALSE(root().read_text("/proc/../proc/a").has_value());
  EXPECT_FALSE(root().read_text("/../../../../../../etc/passwd").has_value());
  EXPECT_FALSE(root().read_text("proc/a").has_value());
  EXPECT_FALSE(root().read_text("").has_value());
  EXPECT_FALSE(root().read_text(std::string_view("/proc/a\0b", 9)).has_value());
  EXPECT_FALSE(root().read_text("/" + std::string(10000, 'x')).has_value());
  EXPECT_FALSE(root().is_machine());
  EXPECT_TRUE(SystemRoot().is_machine());
}

TEST_F(SystemRootTest, LinksMayNotLeadOut) {
  write("/usr/lib/os-release", "NAME=Inside\n");
  scratch_.link("/etc/os-release", "../usr/lib/os-release");
  scratch_.link("/etc/outside", "/proc/self/status");
  scratch_.link("/etc/loop", "loop");
  EXPECT_EQ(root().read_text("/etc/os-release"), "NAME=Inside\n");
  EXPECT_FALSE(root().read_text("/etc/outside").has_value());
  EXPECT_FALSE(root().exists("/etc/outside"));
  EXPECT_FALSE(root().exists("/etc/loop"));
}

TEST_F(SystemRootTest, OnlyRegularFilesAreRead) {
  write("/proc/a", "");
  ASSERT_EQ(mkfifo((scratch_.path() / "proc" / "fifo").c_str(), 0600), 0);
  EXPECT_FALSE(root().read_text("/proc/fifo").has_value()) << "and does not wait for a writer";
  EXPECT_FALSE(root().read_text("/proc").has_value());
  EXPECT_EQ(root().read_text("/proc/a"), "");
  EXPECT_FALSE(root().read_trimmed("/proc/a").has_value());
  EXPECT_EQ(root().list_directory("/proc"), (Names{"a", "fifo"}));
  EXPECT_TRUE(root().list_directory("/proc/a").empty());
  EXPECT_TRUE(root().list_directory("/nowhere").empty());
}

TEST_F(SystemRootTest, LargeFilesAreCutOff) {
  write("/big", std::string(SystemRoot::kMaxFileBytes + 5, 'x'));
  EXPECT_EQ(root().read_text("/big")->size(), SystemRoot::kMaxFileBytes);
}

}  // namespace
}  // namespace gpuassay
