#include "core/key_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/error.h"

namespace gpuassay {
namespace {

class KeyFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "gpuassay_key_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string path() const { return folder_ + "/key"; }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_), {}));
  }
  std::string folder_;
};

TEST_F(KeyFile, IsMadeOnceAndPrivate) {
  const auto first = load_or_create_key(path());
  EXPECT_EQ(load_or_create_key(path()).public_key(), first.public_key());
  struct stat facts {};
  ASSERT_EQ(::stat(path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777U, 0600U);
  EXPECT_EQ(files(), 1U);  // nothing temporary stays
}

TEST_F(KeyFile, PermissionsForOthersAreRefused) {
  load_or_create_key(path());
  ASSERT_EQ(::chmod(path().c_str(), 0640), 0);
  EXPECT_THROW(load_or_create_key(path()), Error);
}

TEST_F(KeyFile, AnotherOwnerIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  load_or_create_key(path());
  ASSERT_EQ(::chown(path().c_str(), 1, 1), 0);
  EXPECT_THROW(load_or_create_key(path()), Error);
}

TEST_F(KeyFile, SymbolicLinksAreNotFollowed) {
  const auto key = load_or_create_key(folder_ + "/elsewhere");
  std::filesystem::create_symlink(folder_ + "/elsewhere", path());
  EXPECT_THROW(load_or_create_key(path()), Error);
  std::filesystem::remove(path());
  std::filesystem::create_symlink(folder_ + "/nowhere", path());
  EXPECT_THROW(load_or_create_key(path()), Error);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/nowhere"));
}

TEST_F(KeyFile, DamagedContentAndOtherFileKindsAreRefused) {
  std::ofstream(path()) << "";
  ASSERT_EQ(::chmod(path().c_str(), 0600), 0);
  EXPECT_THROW(load_or_create_key(path()), Error);
  std::filesystem::remove(path());
  std::filesystem::create_directory(path());
  EXPECT_THROW(load_or_create_key(path()), Error);
  std::filesystem::remove(path());
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  EXPECT_THROW(load_or_create_key(path()), Error);  // and does not hang
}

TEST_F(KeyFile, MissingFolderIsNotSaved) {
  try {
    load_or_create_key(folder_ + "/no/key");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_saved);
  }
}

}  // namespace
}  // namespace gpuassay
