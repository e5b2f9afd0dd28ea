#include "agent/backends/scratch_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "agent/plan_units.h"
#include "agent/workloads/random_inputs.h"
#include "core/error.h"

namespace gpuassay {
namespace {

/// Blocks are parts of one pool that begin at another byte each. What is compressed or deduplicated are records of 4
/// KiB and more at whole multiples of their size, and of those no two are alike before so many blocks.
constexpr std::int64_t kShifts = 4096;

/// How statfs(2) numbers file systems.
struct FileSystemName {
  std::uint64_t magic;
  const char* name;
  bool in_memory;
};
constexpr std::array<FileSystemName, 20> kFileSystems{
    {{0xEF53, "ext4", false},       {0x58465342, "xfs", false},      {0x9123683E, "btrfs", false},
     {0x2FC12FC1, "zfs", false},    {0xF2F52010, "f2fs", false},     {0x794C7630, "overlayfs", false},
     {0x6969, "nfs", false},        {0xFF534D42, "cifs", false},     {0xFE534D42, "smb", false},
     {0x65735546, "fuse", false},   {0x01021997, "9p", false},       {0x00C36400, "ceph", false},
     {0x0BD00BD0, "lustre", false}, {0x47504653, "gpfs", false},     {0x19830326, "beegfs", false},
     {0x01161970, "gfs2", false},   {0xCA451A4E, "bcachefs", false}, {0x4D44, "fat", false},
     {0x01021994, "tmpfs", true},   {0x858458F6, "ramfs", true}}};

std::string file_system_of(int fd) {
  struct statfs facts {};
  if (::fstatfs(fd, &facts) != 0) return "unknown file system";
  const auto magic = static_cast<std::uint64_t>(facts.f_type) & 0xFFFFFFFFU;
  const auto* const known =
      std::find_if(kFileSystems.begin(), kFileSystems.end(), [&](const auto& each) { return each.magic == magic; });
  if (known == kFileSystems.end()) return fmt::format("file system {:#x}", magic);
  if (known->in_memory) {
    throw Error(
        ErrorCode::unsupported,
        fmt::format("the data directory lies in memory ({}), so there is no disk to measure; name one on a disk "
                    "with --data-dir",
                    known->name));
  }
  return known->name;
}

/// Without a name from the start where the file system can do that, else without one as soon as it is open.
FileDescriptor open_nameless(const std::filesystem::path& folder) {
  if (folder.empty()) throw_disk_error("there is no data directory", ENOENT);
  FileDescriptor file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file) return file;
  std::string name = (folder / "disk-XXXXXX").string();
  file = FileDescriptor(::mkostemp(name.data(), O_CLOEXEC));
  if (!file) throw_disk_error("no file can be made in the data directory", errno);
  if (::unlink(name.c_str()) != 0) throw_disk_error("a file in the data directory cannot be removed", errno);
  return file;
}

/// As far as the file system and the limits of this process say; the calls have the last word.
std::int64_t free_bytes_of(int fd) {
  struct statvfs space {};
  if (::fstatvfs(fd, &space) != 0) throw_disk_error("the free space of the data directory is not told", errno);
  std::uint64_t free = std::uint64_t{space.f_bavail} * space.f_frsize;
  rlimit largest{};
  if (::getrlimit(RLIMIT_FSIZE, &largest) == 0 && largest.rlim_cur < free) free = largest.rlim_cur;
  return static_cast<std::int64_t>(std::min<std::uint64_t>(free, INT64_MAX));
}

std::vector<unsigned char> random_pool(std::size_t size_bytes) {
  std::uint64_t seed = 0;
  if (::getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed)
    seed = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  std::vector<unsigned char> pool(size_bytes);
  for (std::size_t i = 0; i < size_bytes; i += sizeof seed) {
    const std::uint64_t bits = random_bits(seed, i);
    for (std::size_t j = i; j < std::min(i + sizeof seed, size_bytes); ++j)
      pool[j] = static_cast<unsigned char>(bits >> (8 * (j - i)));
  }
  return pool;
}

}  // namespace

void throw_disk_error(const char* doing, int errno_value) {
  constexpr std::array kNotAllowed{ENOSPC, EDQUOT,  EFBIG,  EROFS,  EACCES, EPERM,
                                   ENOENT, ENOTDIR, EMFILE, ENFILE, EINVAL};
  const bool not_allowed = std::find(kNotAllowed.begin(), kNotAllowed.end(), errno_value) != kNotAllowed.end();
  throw Error(not_allowed ? ErrorCode::unsupported : ErrorCode::library_failed,
              fmt::format("{}: {}; name another with --data-dir", doing, std::generic_category().message(errno_value)),
              errno_value);
}

std::int64_t affordable_bytes(std::int64_t free_bytes, const ScratchLimits& limits) {
  constexpr std::int64_t kLeftFree = 128 * kMiB, kShare = 10;
  const std::int64_t most = std::min(limits.most_bytes, std::max<std::int64_t>(free_bytes - kLeftFree, 0) / kShare);
  return most / limits.block_bytes * limits.block_bytes;
}

ScratchFile::ScratchFile(const std::filesystem::path& folder, const ScratchLimits& limits)
    : file_(open_nameless(folder)),
      file_system_(file_system_of(file_.get())),
      block_bytes_(static_cast<std::size_t>(limits.block_bytes)),
      pool_(random_pool(block_bytes_ + kShifts)) {
  grow(limits);
}

/// In steps that double, each durable: what a sync costs is seen before much is written.
void ScratchFile::grow(const ScratchLimits& limits) {
  const std::int64_t free = free_bytes_of(file_.get());
  const std::int64_t most = affordable_bytes(free, limits) / limits.block_bytes;
  if (most < 1) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{} MiB may be written in the data directory, too few to measure its "
                            "disk; free some space or use --data-dir",
                            free / kMiB));
  }
  double left_s = static_cast<double>(limits.most_bytes) / (limits.expected_gb_per_s * 1e9);
  for (std::int64_t step = 1; step > 0;) {
    const double took_s = write_s(blocks_, step);
    if (blocks_ == 0 && took_s > limits.longest_block_s) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("the disk took {:.1f} s for {} MiB: too slow to be measured in the time there is", took_s,
                              limits.block_bytes / kMiB));
    }
    blocks_ += step;
    left_s -= took_s;
    const double fitting = std::max(left_s, 0.0) / took_s * static_cast<double>(step);
    step = std::min({2 * step, most - blocks_, static_cast<std::int64_t>(std::min(fitting, 1e9))});
  }
}

double ScratchFile::write_s(std::int64_t first, std::int64_t count) const {
  const auto begin = std::chrono::steady_clock::now();
  for (std::int64_t index = first; index < first + count; ++index) write_block(index);
  if (::fsync(file_.get()) != 0) throw_disk_error("the data directory's disk does not take what was written", errno);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void ScratchFile::write_all() const { (void)write_s(0, blocks_); }

void ScratchFile::write_block(std::int64_t index) const {
  std::span<const unsigned char> left = content(index);
  auto place = static_cast<off_t>(index * static_cast<std::int64_t>(block_bytes_));
  while (!left.empty()) {
    const ssize_t written = ::pwrite(file_.get(), left.data(), left.size(), place);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw_disk_error("the data directory cannot be written", written < 0 ? errno : ENOSPC);
    left = left.subspan(static_cast<std::size_t>(written));
    place += written;
  }
}

void ScratchFile::empty() {
  if (::ftruncate(file_.get(), 0) != 0) throw_disk_error("a file in the data directory cannot be emptied", errno);
  first_shift_ = (first_shift_ + blocks_) % kShifts;
}

bool ScratchFile::try_direct(std::span<unsigned char> probe) const {
  const int flags = ::fcntl(file_.get(), F_GETFL);
  if (flags < 0 || ::fcntl(file_.get(), F_SETFL, flags | O_DIRECT) != 0) return false;
  return ::pread(file_.get(), probe.data(), block_bytes_, 0) == static_cast<ssize_t>(block_bytes_);
}

void ScratchFile::read_past_cache(std::span<unsigned char> probe) {
  direct_ = try_direct(probe);
  if (!direct_) use_cache();
  forget();
  if (!direct_ && is_cached())
    throw Error(ErrorCode::unsupported,
                fmt::format("{} keeps in memory what it has read, so that its disk cannot be measured", file_system_));
}

/// Whether the last byte could be read without waiting for the disk; false where the kernel does not tell.
bool ScratchFile::is_cached() const {
  unsigned char byte = 0;
  const iovec place{&byte, 1};
  return ::preadv2(file_.get(), &place, 1, size_bytes() - 1, RWF_NOWAIT) == 1;
}

void ScratchFile::use_cache() const {
  const int flags = ::fcntl(file_.get(), F_GETFL);
  if (flags >= 0) (void)::fcntl(file_.get(), F_SETFL, flags & ~O_DIRECT);
}

void ScratchFile::forget() const { (void)::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED); }

void ScratchFile::read(std::int64_t index, std::span<unsigned char> target) const {
  std::size_t done = 0;
  while (done < block_bytes_) {
    const auto place = static_cast<off_t>(index * static_cast<std::int64_t>(block_bytes_)) + static_cast<off_t>(done);
    const ssize_t got = ::pread(file_.get(), target.data() + done, block_bytes_ - done, place);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      throw_disk_error("the data directory's disk does not give back what was written", got < 0 ? errno : EIO);
    done += static_cast<std::size_t>(got);
  }
}

std::span<const unsigned char> ScratchFile::content(std::int64_t index) const {
  const auto shift = static_cast<std::size_t>((first_shift_ + index) % kShifts);
  return std::span<const unsigned char>(pool_).subspan(shift, block_bytes_);
}

std::string ScratchFile::how_read() const {
  return fmt::format("{}, {}", direct_ ? "O_DIRECT" : "page cache dropped", file_system_);
}

}  // namespace gpuassay
