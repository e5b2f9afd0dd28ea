#include "core/key_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>

#include "core/error.h"

namespace gpuassay {
namespace {

class FileHandle {
 public:
  explicit FileHandle(int descriptor) : descriptor_(descriptor) {}
  ~FileHandle() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

/// Removes a file that is only a step on the way.
class TemporaryName {
 public:
  explicit TemporaryName(std::string path) : path_(std::move(path)) {}
  ~TemporaryName() { ::unlink(path_.c_str()); }
  TemporaryName(const TemporaryName&) = delete;
  TemporaryName& operator=(const TemporaryName&) = delete;
  [[nodiscard]] const char* c_str() const { return path_.c_str(); }

 private:
  std::string path_;
};

void write_all(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_errno(ErrorCode::not_saved, "cannot write the key file " + path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void sync(int descriptor, const std::string& path) {
  if (::fsync(descriptor) != 0) throw_errno(ErrorCode::not_saved, "cannot make the key file durable: " + path, errno);
}

/// Empty when there is no such file.
std::optional<KeyPair> load_key(const std::string& path) {
  const FileHandle file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    if (errno == ENOENT) return std::nullopt;
    throw_errno(ErrorCode::unreadable_input, "cannot open the key file " + path + " (a symbolic link is refused)",
                errno);
  }
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) throw_errno(ErrorCode::unreadable_input, "cannot examine " + path, errno);
  if (!S_ISREG(facts.st_mode) || facts.st_uid != ::geteuid() || (facts.st_mode & 077U) != 0)
    throw Error(ErrorCode::unreadable_input,
                fmt::format("the key file {} is not a private file of this user; run: chmod 600 and chown it", path));
  std::array<char, 256> content{};
  const ssize_t length = ::read(file.get(), content.data(), content.size());
  if (length < 0) throw_errno(ErrorCode::unreadable_input, "cannot read the key file " + path, errno);
  return KeyPair::from_file_content({content.data(), static_cast<std::size_t>(length)});
}

void sync_folder_of(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  if (folder.empty()) folder = ".";
  const FileHandle directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0) throw_errno(ErrorCode::not_saved, "cannot open the folder of " + path, errno);
  sync(directory.get(), path);
}

void rename_key(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    throw_errno(ErrorCode::not_saved, fmt::format("cannot rename the key file {} to {}", from, to), errno);
  sync_folder_of(to);
}

/// Publishes a new key under `path`; false when another program did so first.
bool create_key(const std::string& path) {
  std::string name = path + ".XXXXXX";
  const FileHandle file(::mkostemp(name.data(), O_CLOEXEC));  // a new file, mode 0600, never through a link
  if (file.get() < 0) throw_errno(ErrorCode::not_saved, "cannot create the key file " + path, errno);
  const TemporaryName temporary(std::move(name));
  write_all(file.get(), KeyPair::generate().file_content(), path);
  sync(file.get(), path);
  // link(), unlike rename(), never replaces a key that somebody else has published meanwhile.
  if (::link(temporary.c_str(), path.c_str()) != 0) {
    if (errno == EEXIST) return false;
    throw_errno(ErrorCode::not_saved, "cannot publish the key file " + path, errno);
  }
  sync_folder_of(path);
  return true;
}

}  // namespace

KeyPair load_or_create_key(const std::string& path) {
  if (auto key = load_key(path)) return *std::move(key);
  create_key(path);
  if (auto key = load_key(path)) return *std::move(key);
  throw Error(ErrorCode::not_saved, fmt::format("the key file {} vanished while it was made; try again", path));
}

void replace_key_file(const std::string& path, const std::string& next, const std::string& kept) {
  // A second name first, so that there is a whole key under `path` at every instant.
  if (::unlink(kept.c_str()) != 0 && errno != ENOENT)
    throw_errno(ErrorCode::not_saved, "cannot remove the older key file " + kept, errno);
  if (::link(path.c_str(), kept.c_str()) != 0)
    throw_errno(ErrorCode::not_saved, "cannot keep the former key as " + kept, errno);
  rename_key(next, path);
}

void retire_key_file(const std::string& path, const std::string& kept) { rename_key(path, kept); }

}  // namespace gpuassay
