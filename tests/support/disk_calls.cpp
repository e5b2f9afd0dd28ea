#include "tests/support/disk_calls.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>
#include <string_view>

namespace gpuassay::test {
namespace {

using Kind = DiskCall::Kind;
namespace fs = std::filesystem;

constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kMostCalls = 256;
constexpr std::size_t kLongestPath = 512;

/// In memory that a child shares with its parent, which outlives it.
struct Record {
  struct Entry {
    Kind kind;
    std::array<char, kLongestPath> path, to;
  };
  std::size_t count;
  std::array<Entry, kMostCalls> entries;
};

struct Plan {
  Record* record = nullptr;  ///< null: nothing is noted and nothing happens
  std::size_t end_at = kNever, fail_at = kNever;
  int error_number = 0;
};
Plan plan;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): libc's functions have no other argument

void copy_text(std::array<char, kLongestPath>& to, const std::string& text) {
  if (text.size() >= kLongestPath) throw std::length_error("path too long for disk_calls");
  std::copy(text.begin(), text.end(), to.begin());
  to.at(text.size()) = '\0';
}

/// True when the call is to fail; errno says why.
bool refuses(Kind kind, const std::string& path, const std::string& to = {}) {
  if (plan.record == nullptr) return false;
  const std::size_t number = plan.record->count;
  if (number == plan.end_at) ::_exit(1);
  const bool disk_is_full = number > plan.fail_at && plan.error_number == ENOSPC && kind == Kind::write;
  if (number == plan.fail_at || disk_is_full) {
    ++plan.record->count;
    errno = plan.error_number;
    return true;
  }
  Record::Entry& entry = plan.record->entries.at(plan.record->count++);
  entry.kind = kind;
  copy_text(entry.path, path);
  copy_text(entry.to, to);
  return false;
}

std::string path_of(int descriptor) {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/fd/" + std::to_string(descriptor), ignored).string();
}

std::string path_at(int folder, const char* name) {
  if (name[0] == '/' || folder == AT_FDCWD) return fs::absolute(name).string();
  return path_of(folder) + "/" + name;
}

/// Where the file that a rename replaced goes on, in case that the rename never happened.
std::string kept_name(const std::string& path) { return path + ".replaced_by_rename"; }

void keep_replaced(const std::string& path) {
  if (plan.record == nullptr) return;
  ::syscall(SYS_unlink, kept_name(path).c_str());
  ::syscall(SYS_link, path.c_str(), kept_name(path).c_str());
}

class RecordHolder {
 public:
  RecordHolder() {
    void* const memory = ::mmap(nullptr, sizeof(Record), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    record_ = static_cast<Record*>(memory);  // zero: no calls yet
  }
  ~RecordHolder() {
    plan = {};
    ::munmap(record_, sizeof(Record));
  }
  RecordHolder(const RecordHolder&) = delete;
  RecordHolder& operator=(const RecordHolder&) = delete;

  [[nodiscard]] Record* get() const { return record_; }
  [[nodiscard]] std::vector<DiskCall> calls() const {
    std::vector<DiskCall> calls;
    for (std::size_t at = 0; at < record_->count; ++at) {
      const Record::Entry& entry = record_->entries.at(at);
      calls.push_back({entry.kind, entry.path.data(), entry.to.data()});
    }
    return calls;
  }

 private:
  Record* record_;
};

/// What was never synced, call by call.
struct Unsynced {
  std::set<fs::path> contents;                        ///< files whose last write no sync followed
  std::map<fs::path, std::vector<DiskCall>> entries;  ///< changes of a folder's names that no sync of it followed
};

Unsynced unsynced(const std::vector<DiskCall>& calls) {
  Unsynced left;
  for (const DiskCall& call : calls) {
    switch (call.kind) {
      case Kind::write: left.contents.insert(call.path); break;
      case Kind::sync:
        left.contents.erase(call.path);
        left.entries.erase(call.path);
        break;
      case Kind::rename:
        if (left.contents.erase(call.path) > 0) left.contents.insert(call.to);
        left.entries[call.to.parent_path()].push_back(call);
        break;
      case Kind::create:
        left.contents.insert(call.path);
        left.entries[call.path.parent_path()].push_back(call);
        break;
      case Kind::link: left.entries[call.to.parent_path()].push_back(call); break;
      case Kind::make_folder: left.entries[call.path.parent_path()].push_back(call); break;
      case Kind::unlink: break;  // may have been kept: then nothing is to be undone
    }
  }
  return left;
}

void undo(const DiskCall& call) {
  std::error_code ignored;
  switch (call.kind) {
    case Kind::rename:
      fs::rename(call.to, call.path, ignored);
      fs::rename(kept_name(call.to), call.to, ignored);
      break;
    case Kind::create: fs::remove(call.path, ignored); break;
    case Kind::link: fs::remove(call.to, ignored); break;
    case Kind::make_folder: fs::remove_all(call.path, ignored); break;
    default: break;
  }
}

}  // namespace

std::vector<DiskCall> record_disk_calls(const std::function<void()>& action) {
  const RecordHolder record;
  plan = {record.get()};
  action();
  plan = {};
  return record.calls();
}

CutShort in_a_child_that_ends_at(std::size_t end_at, const std::function<void()>& action) {
  const RecordHolder record;
  const pid_t child = ::fork();
  if (child == 0) {
    plan = {record.get(), end_at};
    action();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return {record.calls(), status != 0};
}

void with_failing_disk_call(std::size_t fail_at, int error_number, const std::function<void()>& action) {
  const RecordHolder record;
  plan = {record.get(), kNever, fail_at, error_number};
  action();
}

void lose_power(const std::vector<DiskCall>& calls, PowerLoss kind) {
  const Unsynced left = unsynced(calls);
  for (const fs::path& file : left.contents) {
    std::error_code ignored;
    fs::resize_file(file, 0, ignored);
  }
  if (kind == PowerLoss::names_without_content) return;
  for (const auto& [folder, changes] : left.entries) std::for_each(changes.rbegin(), changes.rend(), undo);
}

}  // namespace gpuassay::test

// In the place of libc's functions of these names.
extern "C" {

using gpuassay::test::path_at;
using gpuassay::test::path_of;
using gpuassay::test::refuses;
using Kind = gpuassay::test::DiskCall::Kind;

ssize_t write(int descriptor, const void* bytes, size_t size) {
  if (refuses(Kind::write, path_of(descriptor))) return -1;
  return ::syscall(SYS_write, descriptor, bytes, size);
}

int fsync(int descriptor) {
  if (refuses(Kind::sync, path_of(descriptor))) return -1;
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

int mkdir(const char* path, mode_t mode) noexcept {
  if (::access(path, F_OK) != 0 && refuses(Kind::make_folder, path_at(AT_FDCWD, path))) return -1;
  return static_cast<int>(::syscall(SYS_mkdir, path, mode));
}

int mkdirat(int folder, const char* name, mode_t mode) noexcept {
  if (::faccessat(folder, name, F_OK, 0) != 0 && refuses(Kind::make_folder, path_at(folder, name))) return -1;
  return static_cast<int>(::syscall(SYS_mkdirat, folder, name, mode));
}

int openat(int folder, const char* name, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list more;
    va_start(more, flags);
    mode = va_arg(more, mode_t);
    va_end(more);
    if (::faccessat(folder, name, F_OK, 0) != 0 && refuses(Kind::create, path_at(folder, name))) return -1;
  }
  return static_cast<int>(::syscall(SYS_openat, folder, name, flags, mode));
}

int mkostemp(char* pattern, int flags) {
  std::string_view name(pattern);
  char* const marks = pattern + name.size() - std::string_view("XXXXXX").size();
  for (int number = 0; number < 1'000'000; ++number) {
    const std::string digits = std::to_string(1'000'000 + number).substr(1);
    std::copy(digits.begin(), digits.end(), marks);
    if (::access(pattern, F_OK) == 0) continue;
    if (refuses(Kind::create, path_at(AT_FDCWD, pattern))) return -1;
    return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, pattern, O_RDWR | O_CREAT | O_EXCL | flags, 0600));
  }
  errno = EEXIST;
  return -1;
}

int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  if (refuses(Kind::rename, path_at(from_folder, from), path_at(to_folder, to))) return -1;
  gpuassay::test::keep_replaced(path_at(to_folder, to));
  return static_cast<int>(::syscall(SYS_renameat, from_folder, from, to_folder, to));
}

int rename(const char* from, const char* to) noexcept {
  if (refuses(Kind::rename, path_at(AT_FDCWD, from), path_at(AT_FDCWD, to))) return -1;
  gpuassay::test::keep_replaced(path_at(AT_FDCWD, to));
  return static_cast<int>(::syscall(SYS_rename, from, to));
}

int link(const char* from, const char* to) noexcept {
  if (refuses(Kind::link, path_at(AT_FDCWD, from), path_at(AT_FDCWD, to))) return -1;
  return static_cast<int>(::syscall(SYS_link, from, to));
}

int unlink(const char* path) noexcept {
  if (::access(path, F_OK) == 0 && refuses(Kind::unlink, path_at(AT_FDCWD, path))) return -1;
  return static_cast<int>(::syscall(SYS_unlink, path));
}

int unlinkat(int folder, const char* name, int flags) noexcept {
  if (::faccessat(folder, name, F_OK, 0) == 0 && refuses(Kind::unlink, path_at(folder, name))) return -1;
  return static_cast<int>(::syscall(SYS_unlinkat, folder, name, flags));
}
}
