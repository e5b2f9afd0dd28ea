#include "collector/durable_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/error.h"

namespace gpuassay {
namespace {

/// A file descriptor that is closed, and a name that is removed unless it was given up.
class NewFile {
 public:
  explicit NewFile(const std::string& target) : name_(target + ".XXXXXX"), fd_(::mkostemp(name_.data(), O_CLOEXEC)) {
    if (fd_ < 0) throw_errno(ErrorCode::not_saved, "cannot write beside " + target, errno);
  }
  ~NewFile() {
    ::close(fd_);
    if (!published_) ::unlink(name_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw_errno(ErrorCode::not_saved, "cannot write " + name_, errno);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(fd_) != 0) throw_errno(ErrorCode::not_saved, "cannot make durable " + name_, errno);
  }
  void publish(const std::string& target) {
    if (::rename(name_.c_str(), target.c_str()) != 0)
      throw_errno(ErrorCode::not_saved, "cannot replace " + target, errno);
    published_ = true;
  }

 private:
  std::string name_;
  int fd_;
  bool published_ = false;
};

void sync_folder_holding(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  if (folder.empty()) folder = ".";
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool is_synced = fd >= 0 && ::fsync(fd) == 0;
  const int problem = errno;
  if (fd >= 0) ::close(fd);
  if (!is_synced) throw_errno(ErrorCode::not_saved, "cannot make durable the folder of " + path, problem);
}

}  // namespace

void replace_file(const std::string& path, std::string_view content) {
  {
    NewFile file(path);
    file.write(content);
    file.publish(path);
  }
  sync_folder_holding(path);
}

std::optional<std::string> read_small_file(const std::string& path, std::size_t most_bytes) {
  std::error_code problem;
  if (!std::filesystem::exists(path, problem)) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  std::string content(most_bytes + 1, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad() || (file.fail() && !file.eof()))
    throw Error(ErrorCode::unreadable_input, fmt::format("cannot read {}; check its name and permissions", path));
  if (content.size() > most_bytes)
    throw Error(ErrorCode::unreadable_input,
                fmt::format("{} is larger than {} bytes: it is another file", path, most_bytes));
  return content;
}

}  // namespace gpuassay
