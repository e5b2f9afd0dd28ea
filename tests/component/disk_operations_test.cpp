// The disk cases in real folders, and what they say when the disk is full, slow, broken or lies.
#include "agent/backends/disk_operations.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <ctime>
#include <filesystem>

#include "agent/plan_units.h"
#include "core/error.h"
#include "tests/support/scratch_root.h"

namespace gpuassay {
namespace {

namespace fs = std::filesystem;

/// What the disk does, below. Calls are counted from 0.
struct DiskFaults {
  int fail_at = -1, error_number = 0;
  int calls = 0;
  bool no_nameless_files = false, no_direct = false, corrupts = false;
  std::int64_t ns_per_sync = 0;
};
DiskFaults
    faults;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): libc's functions have no other argument

/// True when the call is to fail; errno says why.
bool disk_refuses() {
  if (faults.calls++ != faults.fail_at) return false;
  errno = faults.error_number;
  return true;
}

constexpr std::int64_t kBlock = 64 << 10, kMany = 16 * kMiB;
const DiskParams kWrite{DiskKind::sequential_write, kMany, kBlock}, kRead{DiskKind::sequential_read, kMany, kBlock};

class Disk : public testing::Test {
 protected:
  void SetUp() override {
    faults = {};
    struct statfs facts {};
    ASSERT_EQ(::statfs(root_.path().c_str(), &facts), 0);
    constexpr long kTmpfs = 0x01021994;
    if (facts.f_type == kTmpfs)
      GTEST_SKIP() << "the temporary directory lies in memory; set TMPDIR to a folder on a disk";
  }
  void TearDown() override {
    faults = {};
    EXPECT_TRUE(fs::is_empty(root_.path())) << "something was left behind";
  }
  [[nodiscard]] const fs::path& folder() const { return root_.path(); }

  /// The code of the error with which `params` end.
  std::optional<ErrorCode> error_of(const DiskParams& params) {
    try {
      const auto operation = prepare_disk(folder(), params);
      (void)operation->run_timed_ns(1);
      (void)operation->verify();
    } catch (const Error& error) {
      said_ = error.what();
      return error.code();
    }
    return std::nullopt;
  }
  std::string said_;

 private:
  test::ScratchRoot root_;
};

TEST_F(Disk, IsWrittenReadAndVerifiedAndNothingIsLeft) {
  for (const DiskParams& params : {kWrite, kRead}) {
    const auto operation = prepare_disk(folder(), params);
    EXPECT_TRUE(fs::is_empty(folder())) << "a kill would leave this";
    EXPECT_GT(operation->run_timed_ns(1), 0);
    EXPECT_GT(operation->run_timed_ns(2), 0);
    const Verification verification = operation->verify();
    EXPECT_TRUE(verification.passed);
    EXPECT_GE(verification.positions, 64);
    const auto done = std::get<DiskParams>(*operation->performed());
    EXPECT_EQ(done.kind, params.kind);
    EXPECT_GE(done.bytes, kBlock);
    EXPECT_LE(done.bytes, kMany);
    EXPECT_EQ(done.bytes % kBlock, 0);
    const bool reads = params.kind == DiskKind::sequential_read;
    const std::string algorithm = operation->algorithm();
    EXPECT_TRUE(reads ? algorithm.starts_with("O_DIRECT, ") || algorithm.starts_with("page cache dropped, ")
                      : algorithm.starts_with("with fsync, "))
        << algorithm;
  }
}

TEST_F(Disk, NoTwoBlocksOfAFileAreAlike) {
  ScratchLimits limits;
  limits.most_bytes = kMany;
  limits.block_bytes = kBlock;
  ScratchFile file(folder(), limits);
  const std::vector<unsigned char> first(file.content(0).begin(), file.content(0).end());
  for (std::int64_t index = 1; index < 4096; ++index)
    EXPECT_FALSE(std::equal(first.begin(), first.end(), file.content(index).begin())) << index;
  file.empty();
  EXPECT_FALSE(std::equal(first.begin(), first.end(), file.content(0).begin())) << "as before it was emptied";
}

TEST_F(Disk, WithoutODirectThePageCacheIsDropped) {
  faults.no_direct = true;
  const auto operation = prepare_disk(folder(), kRead);
  (void)operation->run_timed_ns(1);
  EXPECT_TRUE(operation->verify().passed);
  EXPECT_TRUE(operation->algorithm().starts_with("page cache dropped, ")) << operation->algorithm();
}

TEST_F(Disk, WithoutNamelessFilesTheNameIsRemovedAtOnce) {
  faults.no_nameless_files = true;
  const auto operation = prepare_disk(folder(), kWrite);
  EXPECT_TRUE(fs::is_empty(folder()));
  (void)operation->run_timed_ns(1);
  EXPECT_TRUE(operation->verify().passed);
}

TEST_F(Disk, OtherBytesThanWereWrittenAreAWrongResult) {
  for (const DiskParams& params : {kWrite, kRead}) {
    faults = {};
    const auto operation = prepare_disk(folder(), params);
    faults.corrupts = true;
    (void)operation->run_timed_ns(1);
    const Verification verification = operation->verify();
    EXPECT_FALSE(verification.passed);
    EXPECT_GT(verification.max_error, verification.tolerance);
  }
}

TEST_F(Disk, WhateverCallFailsTheCaseSaysWhyAndLeavesNothing) {
  for (const DiskParams& params : {kWrite, kRead}) {
    for (const auto& [error_number, code] : {std::pair{ENOSPC, ErrorCode::unsupported},
                                             {EDQUOT, ErrorCode::unsupported},
                                             {EROFS, ErrorCode::unsupported},
                                             {EIO, ErrorCode::library_failed}}) {
      int failed = 0;
      for (int fail_at = 0; fail_at < 20; ++fail_at) {
        faults = {};
        faults.fail_at = fail_at;
        faults.error_number = error_number;
        const auto answer = error_of(params);
        if (!answer) continue;  // the try with O_DIRECT has another way
        ++failed;
        EXPECT_EQ(*answer, code) << said_;
        EXPECT_EQ(said_.find(folder().string()), std::string::npos) << said_;
      }
      EXPECT_GE(failed, 3);
    }
  }
}

TEST_F(Disk, AFolderThatIsNotThereIsSkipped) {
  const ScratchLimits limits = scratch_limits(kWrite);
  try {
    const ScratchFile file(folder() / "missing", limits);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_EQ(std::string(error.what()).find("missing"), std::string::npos) << "no path in a result";
  }
}

TEST_F(Disk, AProcessThatMayWriteLittleMeasuresNothing) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit little{static_cast<rlim_t>(8 * kMiB), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  const auto answer = error_of(kWrite);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(answer, ErrorCode::unsupported);
  EXPECT_NE(said_.find("8 MiB may be written"), std::string::npos) << said_;
}

/// 16 MiB may take what a disk of 1.5 GB/s needs for them: 11 ms.
TEST_F(Disk, ASlowDiskGetsASmallFile) {
  faults.ns_per_sync = 30 * kMs;
  const auto operation = prepare_disk(folder(), kWrite);
  EXPECT_EQ(std::get<DiskParams>(*operation->performed()).bytes, kBlock);
}

TEST_F(Disk, ADiskTooSlowForItsFirstBlockIsLeftAlone) {
  ScratchLimits limits = scratch_limits(kWrite);
  limits.longest_block_s = 0.01;
  faults.ns_per_sync = 20 * kMs;
  EXPECT_THROW((void)ScratchFile(folder(), limits), Error);
}

TEST(DiskInMemory, IsNoDisk) {
  struct statfs facts {};
  constexpr long kTmpfs = 0x01021994;
  if (::statfs("/dev/shm", &facts) != 0 || facts.f_type != kTmpfs) GTEST_SKIP() << "/dev/shm is no tmpfs here";
  try {
    (void)prepare_disk("/dev/shm", kWrite);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_NE(std::string(error.what()).find("lies in memory (tmpfs)"), std::string::npos) << error.what();
  }
}

TEST(DiskSizes, ATenthOfWhatIsFreeAfterWhatARunNeeds) {
  ScratchLimits limits;
  limits.block_bytes = 4 * kMiB;
  limits.most_bytes = kGiB;
  EXPECT_EQ(affordable_bytes(100 * kGiB, limits), kGiB);
  EXPECT_EQ(affordable_bytes(128 * kMiB + 1000 * kMiB, limits), 100 * kMiB);
  EXPECT_EQ(affordable_bytes(128 * kMiB + 119 * kMiB, limits), 8 * kMiB) << "whole blocks";
  EXPECT_EQ(affordable_bytes(100 * kMiB, limits), 0);
  EXPECT_EQ(affordable_bytes(0, limits), 0);
}

TEST(DiskSizes, BlocksAreWholePages) {
  EXPECT_THROW((void)scratch_limits({DiskKind::sequential_read, kGiB, 1000}), Error);
  EXPECT_THROW((void)scratch_limits({DiskKind::sequential_read, 4096, 8192}), Error);
  EXPECT_EQ(scratch_limits({DiskKind::sequential_read, 8192, 4096}).most_bytes, 8192);
}

}  // namespace
}  // namespace gpuassay

// In the place of libc's functions of these names.
extern "C" {

using gpuassay::disk_refuses;
using gpuassay::faults;

int open(const char* name, int flags, ...) {
  mode_t mode = 0;
  if ((flags & (O_CREAT | __O_TMPFILE)) != 0) {
    va_list more;
    va_start(more, flags);
    mode = va_arg(more, mode_t);
    va_end(more);
  }
  if ((flags & O_TMPFILE) == O_TMPFILE && faults.no_nameless_files) {
    errno = EOPNOTSUPP;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, name, flags, mode));
}

ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t place) {
  if (disk_refuses()) return -1;
  // A disk may take less than it was given.
  return ::syscall(SYS_pwrite64, descriptor, bytes, size > 8192 ? size / 2 : size, place);
}

ssize_t pread(int descriptor, void* bytes, size_t size, off_t place) {
  if (disk_refuses()) return -1;
  if (faults.no_direct && (::syscall(SYS_fcntl, descriptor, F_GETFL) & O_DIRECT) != 0) {
    errno = EINVAL;
    return -1;
  }
  const ssize_t got = ::syscall(SYS_pread64, descriptor, bytes, size, place);
  if (faults.corrupts && got > 0) {
    for (ssize_t i = 0; i < got; i += 512) static_cast<unsigned char*>(bytes)[i] ^= 1U;
  }
  return got;
}

int fsync(int descriptor) {
  if (disk_refuses()) return -1;
  const timespec pause{0, static_cast<long>(faults.ns_per_sync)};
  if (pause.tv_nsec > 0) ::nanosleep(&pause, nullptr);
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}
}
