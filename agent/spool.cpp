#include "agent/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <memory>

#include "agent/run_id.h"
#include "core/error.h"

namespace gpuassay {
namespace {

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;
constexpr std::size_t kMaxFileBytes = std::size_t{16} << 20;
constexpr std::string_view kJournalSuffix = ".journal";
constexpr std::string_view kCorruptSuffix = ".corrupt";
constexpr const char* kOtherDirectory = "; use --data-dir with a directory you own";

[[noreturn]] void not_saved(const std::string& what, int error) {
  throw Error(ErrorCode::not_saved, fmt::format("{}: {}{}", what, ::strerror(error), kOtherDirectory), error);
}

/// What was made in or renamed within the folder stays there when the power fails.
void sync_folder(int folder, const std::string& shown) {
  if (::fsync(folder) != 0) not_saved("cannot sync the folder of " + shown, errno);
}

/// Opens the folder `name` below `parent` without following a link, makes it when missing, checks whose it is.
FileDescriptor open_folder(int parent, const std::string& name, const std::string& shown) {
  if (::mkdirat(parent, name.c_str(), kFolderMode) == 0) {
    sync_folder(parent, shown);
  } else if (errno != EEXIST) {
    not_saved("cannot make the folder " + shown, errno);
  }
  FileDescriptor folder(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) {
    const int error = errno;
    struct stat link {};
    const bool is_link = ::fstatat(parent, name.c_str(), &link, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(link.st_mode);
    if (is_link) {
      throw Error(ErrorCode::not_saved,
                  fmt::format("{} is a symbolic link, which gpuassay does not follow{}", shown, kOtherDirectory));
    }
    not_saved("cannot open the folder " + shown, error);
  }
  struct stat info {};
  if (::fstat(folder.get(), &info) != 0) not_saved("cannot look at the folder " + shown, errno);
  if (info.st_uid != ::geteuid()) {
    throw Error(ErrorCode::not_saved, fmt::format("the folder {} belongs to another user{}", shown, kOtherDirectory));
  }
  constexpr mode_t kOthersMayWrite = S_IWGRP | S_IWOTH;
  if ((info.st_mode & kOthersMayWrite) != 0) {
    throw Error(ErrorCode::not_saved,
                fmt::format("other users may write to the folder {}; run chmod 700 on it, or use --data-dir", shown));
  }
  return folder;
}

void write_and_sync(int fd, std::string_view bytes, const std::string& shown) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) not_saved("cannot write " + shown, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(fd) != 0) not_saved("cannot sync " + shown, errno);
}

/// The content of an open regular file; empty when it is larger than kMaxFileBytes.
std::optional<std::string> read_all(int fd) {
  std::string content;
  std::array<char, 65536> block{};
  while (true) {
    const ssize_t got = ::read(fd, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) return content;
    content.append(block.data(), static_cast<std::size_t>(got));
    if (content.size() > kMaxFileBytes) return std::nullopt;
  }
}

std::vector<std::string> complete_lines(const std::string& content) {
  std::vector<std::string> lines;
  std::size_t start = 0;
  for (std::size_t end = content.find('\n'); end != std::string::npos; end = content.find('\n', start)) {
    lines.push_back(content.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

std::string temporary_name(const std::string& name, pid_t owner) { return fmt::format(".{}.{}.tmp", name, owner); }

/// The process that made a file called `name`, empty when it is no temporary file of ours.
std::optional<pid_t> temporary_owner(std::string_view name) {
  if (!name.starts_with('.') || !name.ends_with(".tmp")) return std::nullopt;
  name.remove_suffix(std::string_view(".tmp").size());
  const std::string_view digits = name.substr(name.rfind('.') + 1);
  pid_t owner = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), owner);
  if (error != std::errc{} || end != digits.data() + digits.size() || owner <= 0) return std::nullopt;
  return owner;
}

/// Puts `body` under `name` in `folder`: temporary file, synced and renamed. The folder is not synced yet.
void write_whole(int folder, const std::string& name, std::string_view body, const std::string& shown) {
  const std::string temporary = temporary_name(name, ::getpid());
  ::unlinkat(folder, temporary.c_str(), 0);  // left by a killed process that had our pid
  FileDescriptor file(
      ::openat(folder, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode));
  if (!file) not_saved("cannot make " + shown, errno);
  try {
    write_and_sync(file.get(), body, shown);
    if (::renameat(folder, temporary.c_str(), folder, name.c_str()) != 0) not_saved("cannot rename to " + shown, errno);
  } catch (const Error&) {
    ::unlinkat(folder, temporary.c_str(), 0);
    throw;
  }
}

std::optional<std::string> read_file(int folder, const std::string& name) {
  const FileDescriptor file(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file) return std::nullopt;
  return read_all(file.get());
}

constexpr const char* kJournalOfRun = "the journal of the run";

/// A new file for lines, locked.
FileDescriptor start_lines(int folder, const std::string& name, const std::string& shown) {
  FileDescriptor file(
      ::openat(folder, name.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode));
  if (!file) not_saved("cannot start " + shown, errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) not_saved("cannot lock " + shown, errno);
  sync_folder(folder, shown);
  return file;
}

std::string journal_name(const std::string& run_id) { return run_id + std::string(kJournalSuffix); }

/// As mkdir -p does, but each one durably.
void make_folders(const std::filesystem::path& folder) {
  std::error_code unknown;
  if (std::filesystem::exists(folder, unknown) || unknown) return;  // what cannot be looked at is opened below
  make_folders(folder.parent_path());
  constexpr mode_t kParentMode = 0777;
  if (::mkdir(folder.c_str(), kParentMode) != 0) {
    if (errno == EEXIST) return;  // another program was faster
    not_saved("cannot make the folder " + folder.string(), errno);
  }
  const FileDescriptor above(::open(folder.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (above) sync_folder(above.get(), folder.string());
}

/// Makes missing parents of `data_dir` and opens the parent itself.
FileDescriptor open_parent(const std::filesystem::path& data_dir) {
  const std::filesystem::path parent = data_dir.parent_path();
  make_folders(parent);
  FileDescriptor fd(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) not_saved("cannot open the folder " + parent.string(), errno);
  return fd;
}

std::filesystem::path normal_absolute(const std::filesystem::path& path) {
  std::filesystem::path absolute = std::filesystem::absolute(path).lexically_normal();
  if (!absolute.has_filename()) absolute = absolute.parent_path();  // "dir/" names dir
  return absolute;
}

}  // namespace

std::filesystem::path default_data_dir(const char* xdg_data_home, const char* home) {
  if (xdg_data_home != nullptr && xdg_data_home[0] == '/') return std::filesystem::path(xdg_data_home) / "gpuassay";
  if (home != nullptr && home[0] == '/') return std::filesystem::path(home) / ".local/share/gpuassay";
  return "/var/lib/gpuassay";
}

void Journal::append(std::string_view line) {
  std::string record(line);
  record += '\n';
  const off_t whole = ::lseek(file_.get(), 0, SEEK_END);
  try {
    write_and_sync(file_.get(), record, shown_);
  } catch (const Error&) {
    // Half a line would spoil the next one as well.
    if (whole >= 0 && ::ftruncate(file_.get(), whole) != 0) file_.reset();
    throw;
  }
}

Spool::Spool(const std::filesystem::path& data_dir) : data_dir_(normal_absolute(data_dir)) {
  const FileDescriptor parent = open_parent(data_dir_);
  data_fd_ = open_folder(parent.get(), data_dir_.filename(), data_dir_.string());
  runs_fd_ = open_folder(data_fd_.get(), "runs", (data_dir_ / "runs").string());
}

void Spool::save(const std::string& name, std::string_view body) const {
  if (const auto known = read(name)) {
    if (*known == body) return;
    throw Error(ErrorCode::not_saved, fmt::format("{} exists with other content", path_of(name).string()));
  }
  struct statvfs space {};
  if (::fstatvfs(runs_fd_.get(), &space) == 0 && std::uint64_t{space.f_bavail} * space.f_frsize < kMinFreeBytes) {
    throw Error(
        ErrorCode::not_saved,
        fmt::format("the disk of {} has less than 64 MiB free; free some space or use --data-dir", data_dir_.string()));
  }
  const std::string shown = path_of(name).string();
  write_whole(runs_fd_.get(), name, body, shown);
  try {
    sync_folder(runs_fd_.get(), shown);
  } catch (const Error&) {
    // What is reported as not saved is not there: another try would take it for saved, and its sync may seem to work.
    ::unlinkat(runs_fd_.get(), name.c_str(), 0);
    throw;
  }
}

void Spool::replace_setting(const std::string& name, std::string_view body) const {
  const std::string shown = (data_dir_ / name).string();
  write_whole(data_fd_.get(), name, body, shown);
  sync_folder(data_fd_.get(), shown);
}

std::optional<std::string> Spool::read_setting(const std::string& name) const {
  return read_file(data_fd_.get(), name);
}

std::optional<std::string> Spool::read(const std::string& name) const { return read_file(runs_fd_.get(), name); }

std::vector<std::string> Spool::names_in_runs() const {
  std::vector<std::string> names;
  const int copy = ::openat(runs_fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(copy < 0 ? nullptr : ::fdopendir(copy), ::closedir);
  if (!folder) not_saved("cannot list the folder " + path_of("").string(), errno);
  while (const dirent* entry = ::readdir(folder.get())) names.emplace_back(entry->d_name);
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> Spool::list(std::string_view suffix) const {
  std::vector<std::string> names = names_in_runs();
  std::erase_if(names, [suffix](std::string_view name) {
    return !name.ends_with(suffix) || !is_run_id(name.substr(0, name.size() - suffix.size()));
  });
  return names;
}

void Spool::remove_stale_temporaries() const {
  for (const std::string& name : names_in_runs()) {
    if (const auto owner = temporary_owner(name); owner && ::kill(*owner, 0) != 0 && errno == ESRCH) {
      ::unlinkat(runs_fd_.get(), name.c_str(), 0);
    }
  }
}

Journal Spool::start_journal(const std::string& run_id) const {
  return Journal(start_lines(runs_fd_.get(), journal_name(run_id), kJournalOfRun), kJournalOfRun);
}

Journal Spool::start_watch(const std::string& watch_id) const {
  const std::string shown = (data_dir_ / "watch" / (watch_id + ".jsonl")).string();
  const FileDescriptor folder = open_folder(data_fd_.get(), "watch", (data_dir_ / "watch").string());
  return Journal(start_lines(folder.get(), watch_id + ".jsonl", shown), shown);
}

void Spool::remove_journal(const std::string& run_id) const {
  if (::unlinkat(runs_fd_.get(), journal_name(run_id).c_str(), 0) != 0 && errno != ENOENT) {
    not_saved("cannot remove the journal of the run", errno);
  }
}

std::vector<LeftJournal> Spool::left_journals() const {
  std::vector<LeftJournal> left;
  for (const std::string& name : list(kJournalSuffix)) {
    const FileDescriptor file(::openat(runs_fd_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (!file || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) continue;  // its run is still alive
    LeftJournal journal{name.substr(0, name.size() - kJournalSuffix.size()), {}};
    if (const auto content = read_all(file.get())) journal.lines = complete_lines(*content);
    left.push_back(std::move(journal));
  }
  return left;
}

void Spool::set_aside(const std::string& name, const std::string& aside) const {
  if (::renameat(runs_fd_.get(), name.c_str(), runs_fd_.get(), aside.c_str()) != 0) {
    not_saved(fmt::format("cannot put the damaged file {} aside", name), errno);
  }
}

void Spool::set_result_aside(const std::string& run_id) const {
  const std::string name = run_id + ".json";
  set_aside(name, name + std::string(kCorruptSuffix));
}

void Spool::set_journal_aside(const std::string& run_id) const {
  set_aside(journal_name(run_id), run_id + std::string(kCorruptSuffix));
}

FileDescriptor Spool::lock(const char* name, const char* held_by) const {
  FileDescriptor file(::openat(data_fd_.get(), name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, kFileMode));
  if (!file) not_saved("cannot open the lock of " + data_dir_.string(), errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) throw Error(ErrorCode::busy, held_by);
  return file;
}

FileDescriptor Spool::lock_for_run() const {
  return lock("lock", "another gpuassay is measuring this machine; wait for it, two at once disturb each other");
}

FileDescriptor Spool::lock_for_watch() const {
  return lock("watch.lock", "another gpuassay is watching this machine already; one is enough");
}

}  // namespace gpuassay
