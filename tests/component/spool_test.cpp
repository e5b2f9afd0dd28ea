#include "agent/spool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fstream>

#include "core/error.h"
#include "tests/support/scratch_root.h"

namespace gpuassay {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRunId = "0190b5a4-7c1d-7b3e-9f00-0123456789ab";
constexpr const char* kLaterRunId = "0190b5a4-7c1e-7b3e-9f00-0123456789ab";

std::string why_not(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_saved);
    return error.what();
  }
  return "it worked";
}

mode_t mode_of(const fs::path& path) {
  struct stat info {};
  EXPECT_EQ(::lstat(path.c_str(), &info), 0);
  return info.st_mode & 07777;
}

class SpoolTest : public ::testing::Test {
 protected:
  test::ScratchRoot scratch_;
  fs::path dir_ = scratch_.path() / "share" / "gpuassay";
};

TEST_F(SpoolTest, MakesPrivateFoldersAndFiles) {
  const Spool spool(dir_);
  spool.save(std::string(kRunId) + ".json", "{}");
  EXPECT_EQ(mode_of(dir_), 0700u);
  EXPECT_EQ(mode_of(dir_ / "runs"), 0700u);
  EXPECT_EQ(mode_of(spool.path_of(std::string(kRunId) + ".json")), 0600u);
  EXPECT_EQ(spool.read(std::string(kRunId) + ".json"), "{}");
}

TEST_F(SpoolTest, SavingAgainIsFineReplacingIsNot) {
  const Spool spool(dir_);
  spool.save("a.json", "one");
  spool.save("a.json", "one");
  EXPECT_NE(why_not([&] { spool.save("a.json", "two"); }).find("other content"), std::string::npos);
  EXPECT_EQ(spool.read("a.json"), "one");
}

TEST_F(SpoolTest, SettingsAreReplacedWholeAndNeverThroughALink) {
  const Spool spool(dir_);
  EXPECT_EQ(spool.read_setting("consent.json"), std::nullopt);
  spool.replace_setting("consent.json", "one");
  spool.replace_setting("consent.json", "two");
  EXPECT_EQ(spool.read_setting("consent.json"), "two");
  EXPECT_EQ(mode_of(dir_ / "consent.json"), 0600u);
  const fs::path elsewhere = scratch_.path() / "elsewhere";
  std::ofstream(elsewhere) << "precious";
  fs::remove(dir_ / "consent.json");
  fs::create_symlink(elsewhere, dir_ / "consent.json");
  EXPECT_EQ(spool.read_setting("consent.json"), std::nullopt);
  spool.replace_setting("consent.json", "three");
  EXPECT_EQ(spool.read_setting("consent.json"), "three");
  std::string kept;
  std::getline(std::ifstream(elsewhere), kept);
  EXPECT_EQ(kept, "precious");
}

TEST_F(SpoolTest, ListsOnlyNamesWithAUuidSorted) {
  const Spool spool(dir_);
  spool.save(std::string(kLaterRunId) + ".json", "2");
  spool.save(std::string(kRunId) + ".json", "1");
  spool.save(std::string(kRunId) + ".receipt.json", "r");
  spool.save("notes.json", "n");
  EXPECT_EQ(spool.list(".json"),
            (std::vector<std::string>{std::string(kRunId) + ".json", std::string(kLaterRunId) + ".json"}));
}

TEST_F(SpoolTest, RefusesASymbolicLinkAsDataDirectory) {
  fs::create_directories(scratch_.path() / "elsewhere");
  fs::create_symlink(scratch_.path() / "elsewhere", scratch_.path() / "link");
  EXPECT_NE(why_not([&] { Spool spool(scratch_.path() / "link"); }).find("symbolic link"), std::string::npos);
  EXPECT_NE(why_not([&] { Spool spool(scratch_.path() / "link/"); }).find("symbolic link"), std::string::npos);
}

TEST_F(SpoolTest, RefusesASymbolicLinkAsRunsFolder) {
  fs::create_directories(dir_);
  fs::create_symlink("/tmp", dir_ / "runs");
  EXPECT_NE(why_not([&] { Spool spool(dir_); }).find("symbolic link"), std::string::npos);
}

TEST_F(SpoolTest, NeverWritesThroughALinkInTheRunsFolder) {
  const Spool spool(dir_);
  std::ofstream(scratch_.path() / "victim") << "precious";
  fs::create_symlink(scratch_.path() / "victim", spool.path_of("a.json"));
  spool.save("a.json", "new");
  std::string victim;
  std::getline(std::ifstream(scratch_.path() / "victim"), victim);
  EXPECT_EQ(victim, "precious");
}

TEST_F(SpoolTest, RefusesAFolderOthersMayWriteTo) {
  fs::create_directories(dir_);
  fs::permissions(dir_, fs::perms::all);
  EXPECT_NE(why_not([&] { Spool spool(dir_); }).find("chmod 700"), std::string::npos);
}

TEST_F(SpoolTest, RefusesAFolderOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make a folder of another user";
  fs::create_directories(dir_);
  ASSERT_EQ(::chown(dir_.c_str(), 1, 1), 0);
  EXPECT_NE(why_not([&] { Spool spool(dir_); }).find("another user"), std::string::npos);
}

TEST_F(SpoolTest, SaysWhatIsWrongWithAFileInTheWay) {
  std::ofstream(scratch_.path() / "file") << "x";
  EXPECT_NE(why_not([&] { Spool spool(scratch_.path() / "file" / "data"); }).find("--data-dir"), std::string::npos);
  EXPECT_NE(why_not([&] { Spool spool(scratch_.path() / "file"); }).find("--data-dir"), std::string::npos);
}

TEST_F(SpoolTest, AJournalIsLeftOnlyOnceItsProcessIsGone) {
  const Spool spool(dir_);
  {
    Journal journal = spool.start_journal(kRunId);
    journal.append("first");
    journal.append("second");
    EXPECT_TRUE(spool.left_journals().empty()) << "it is locked by a living run";
  }
  std::ofstream(spool.path_of(std::string(kRunId) + ".journal"), std::ios::app) << "torn li";
  const auto left = spool.left_journals();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].run_id, kRunId);
  EXPECT_EQ(left[0].lines, (std::vector<std::string>{"first", "second"}));
  spool.remove_journal(kRunId);
  spool.remove_journal(kRunId);
  EXPECT_TRUE(spool.left_journals().empty());
}

TEST_F(SpoolTest, AJournalSetAsideIsKeptButNotListed) {
  const Spool spool(dir_);
  spool.start_journal(kRunId).append("x");
  spool.set_journal_aside(kRunId);
  EXPECT_TRUE(spool.left_journals().empty());
  EXPECT_EQ(spool.read(std::string(kRunId) + ".corrupt"), "x\n");
}

TEST_F(SpoolTest, OnlyOneRunAtATime) {
  const Spool spool(dir_);
  const FileDescriptor lock = spool.lock_for_run();
  try {
    const FileDescriptor second = spool.lock_for_run();
    FAIL() << "two runs at once";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::busy);
  }
}

TEST_F(SpoolTest, RemovesTemporariesOfDeadProcessesOnly) {
  const Spool spool(dir_);
  const pid_t dead = ::fork();
  if (dead == 0) ::_exit(0);
  ::waitpid(dead, nullptr, 0);
  const std::string stale = ".a.json." + std::to_string(dead) + ".tmp";
  const std::string alive = ".a.json." + std::to_string(::getpid()) + ".tmp";
  for (const std::string& name : {stale, alive, std::string(".x.tmp"), std::string(".x.12y.tmp")}) {
    std::ofstream(spool.path_of(name)) << "x";
  }
  spool.remove_stale_temporaries();
  EXPECT_FALSE(fs::exists(spool.path_of(stale)));
  EXPECT_TRUE(fs::exists(spool.path_of(alive)));
  EXPECT_TRUE(fs::exists(spool.path_of(".x.tmp")));
  EXPECT_TRUE(fs::exists(spool.path_of(".x.12y.tmp")));
}

TEST(DefaultDataDir, FollowsTheContract) {
  EXPECT_EQ(default_data_dir("/xdg", "/home/a"), "/xdg/gpuassay");
  EXPECT_EQ(default_data_dir("relative", "/home/a"), "/home/a/.local/share/gpuassay");
  EXPECT_EQ(default_data_dir(nullptr, "/home/a"), "/home/a/.local/share/gpuassay");
  EXPECT_EQ(default_data_dir(nullptr, nullptr), "/var/lib/gpuassay");
  EXPECT_EQ(default_data_dir("", ""), "/var/lib/gpuassay");
}

}  // namespace
}  // namespace gpuassay
