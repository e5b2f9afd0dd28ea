#include "collector/export/export_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"

namespace gpuassay {
namespace {

namespace fs = std::filesystem;

/// Marks the unfinished folder as ours, and is locked by who fills it.
constexpr const char* kMark = ".gpuassay-export";
constexpr unsigned kExchange = 2;  // RENAME_EXCHANGE of linux/fs.h, whose macros clash with those of others

/// The files that the manifest in `folder` names; empty when it is none of an export.
std::set<std::string> files_of_export(const fs::path& folder) {
  std::ifstream file(folder / kManifestName);
  const auto manifest = nlohmann::json::parse(file, nullptr, false);
  std::set<std::string> files;
  if (!manifest.is_object() || manifest.value("kind", "") != "gpuassay-export-v1") return files;
  for (const auto& entry : manifest.value("files", nlohmann::json::array()))
    if (entry.is_object()) files.insert(entry.value("name", ""));
  files.insert({kManifestName, kMark});
  return files;
}

/// Empty when nothing is lost with `target`.
std::string foreign_entry(const fs::path& target) {
  const std::set<std::string> ours = files_of_export(target);
  for (const auto& entry : fs::recursive_directory_iterator(target)) {
    const std::string name = entry.path().lexically_relative(target).string();
    if (entry.is_symlink() || (!entry.is_directory() && ours.count(name) == 0)) return name;
    if (entry.is_directory() && ours.empty()) return name;
  }
  return {};
}

void require_replaceable(const fs::path& target) {
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorCode::usage,
                fmt::format("{} {}, and an export never overwrites what it did not write; name another "
                            "folder",
                            target.string(), why));
  };
  if (fs::is_symlink(target)) refuse("is a symbolic link");
  if (!fs::exists(target)) return;
  if (!fs::is_directory(target)) refuse("is not a folder");
  if (const std::string foreign = foreign_entry(target); !foreign.empty()) refuse(fmt::format("holds {}", foreign));
}

}  // namespace

ExportFolder::ExportFolder(const std::string& target) {
  try {
    target_ = fs::absolute(target).lexically_normal().string();
    while (target_.size() > 1 && target_.back() == '/') target_.pop_back();
    unfinished_ = target_ + ".unfinished";
    require_replaceable(target_);
    const bool is_new = !fs::exists(unfinished_);
    // A former export is there when the program was killed after the exchange.
    if (!is_new && !fs::exists(fs::path(unfinished_) / kMark) && !foreign_entry(unfinished_).empty())
      throw Error(ErrorCode::usage, fmt::format("{} is in the way; move it, or name another folder", unfinished_));
    if (is_new) fs::create_directories(unfinished_);
    lock();
    for (const auto& entry : fs::directory_iterator(unfinished_))
      if (entry.path().filename() != kMark) fs::remove_all(entry.path());
  } catch (const fs::filesystem_error& error) {
    throw Error(ErrorCode::not_saved,
                fmt::format("cannot prepare the export: {}; name a folder that can be written", error.what()));
  }
}

ExportFolder::~ExportFolder() {
  if (lock_ < 0) return;  // not ours
  std::error_code ignored;
  fs::remove_all(unfinished_, ignored);
  ::close(lock_);
}

void ExportFolder::lock() {
  const std::string mark = (fs::path(unfinished_) / kMark).string();
  const int file = ::open(mark.c_str(), O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) throw_errno(ErrorCode::not_saved, "cannot write " + mark, errno);
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    ::close(file);
    throw Error(ErrorCode::busy, fmt::format("another program is making the export {}; wait for it", target_));
  }
  lock_ = file;
}

void ExportFolder::write_file(const std::string& name, std::string_view content) const {
  const std::string path = (fs::path(unfinished_) / name).string();
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) throw_errno(ErrorCode::not_saved, "cannot write " + path, errno);
  const bool is_written = std::fwrite(content.data(), 1, content.size(), file) == content.size();
  const int problem = errno;
  if (std::fclose(file) != 0 || !is_written)
    throw_errno(ErrorCode::not_saved, fmt::format("cannot write {}; the former export is untouched", path),
                is_written ? errno : problem);
}

void ExportFolder::publish() {
  const int folder = ::open(unfinished_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool is_durable = folder >= 0 && ::syncfs(folder) == 0;
  const int problem = errno;
  if (folder >= 0) ::close(folder);
  if (!is_durable) throw_errno(ErrorCode::not_saved, "cannot make the export durable", problem);
  require_replaceable(target_);  // somebody may have put something there meanwhile
  exchange();
  std::error_code ignored;
  fs::remove(fs::path(target_) / kMark, ignored);
}

void ExportFolder::exchange() const {
  const char* const from = unfinished_.c_str();
  const char* const to = target_.c_str();
  if (::rename(from, to) == 0) return;  // nothing, or an empty folder, was there
  if (::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, kExchange) == 0) return;
  // A file system that cannot exchange two folders: for an instant there is no export.
  const std::string former = target_ + ".former";
  if (::rename(to, former.c_str()) != 0 || ::rename(from, to) != 0)
    throw_errno(ErrorCode::not_saved,
                fmt::format("cannot put the export in the place of {} (look for {})", target_, former), errno);
  fs::rename(former, unfinished_);  // the destructor removes it
}

}  // namespace gpuassay
