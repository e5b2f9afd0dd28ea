#include "agent/commands/result_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "agent/file_descriptor.h"
#include "core/error.h"
#include "core/result_json.h"

namespace gpuassay {
namespace {

constexpr std::uintmax_t kMaxResultBytes = std::uintmax_t{16} << 20;
constexpr mode_t kNewFileMode = 0600;

std::string temporary_beside(const std::filesystem::path& path) {
  return fmt::format("{}.{}.tmp", path.string(), ::getpid());
}

FileDescriptor open_new(const std::string& temporary) {
  return FileDescriptor(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kNewFileMode));
}

/// Something that is no regular file (/dev/stdout, a pipe) is written in place.
bool is_special(const std::filesystem::path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

void write_all(int fd, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_errno(ErrorCode::not_saved, fmt::format("cannot write --out {}", path.string()), errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::string read_result_text(const std::filesystem::path& name, const Environment& environment) {
  std::error_code error;
  std::filesystem::path path = name;
  if (!std::filesystem::exists(path, error) && !name.has_parent_path()) {
    path = environment.data_dir / "runs" / (name.string() + ".json");
  }
  const std::uintmax_t size =
      std::filesystem::is_regular_file(path, error) ? std::filesystem::file_size(path, error) : 0;
  if (size > kMaxResultBytes) {
    throw Error(ErrorCode::unreadable_input, fmt::format("{} has over 16 MiB; no result is that large", name.string()));
  }
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (std::filesystem::is_regular_file(path, error) && file) {
    text.resize(size);
    file.read(text.data(), static_cast<std::streamsize>(size));
    text.resize(static_cast<std::size_t>(file.gcount()));
  } else {
    throw Error(ErrorCode::unreadable_input,
                fmt::format("cannot read {}: no such result file, and no run of that id in {}", name.string(),
                            (environment.data_dir / "runs").string()));
  }
  return text;
}

Result read_result(const std::filesystem::path& name, const Environment& environment) {
  const std::string text = read_result_text(name, environment);
  try {
    return parse_result(text);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", name.string(), error.what()));
  }
}

void require_writable(const std::filesystem::path& path) {
  std::error_code error;
  if (path.empty()) throw Error(ErrorCode::usage, "--out is empty; name a file");
  if (std::filesystem::is_directory(path, error)) {
    throw Error(ErrorCode::usage, fmt::format("--out {} is a folder; name a file", path.string()));
  }
  if (is_special(path)) return;
  const std::string temporary = temporary_beside(path);
  if (!open_new(temporary)) {
    throw Error(ErrorCode::usage, fmt::format("cannot write --out {}: {}; name a file in a folder you may write to",
                                              path.string(), ::strerror(errno)));
  }
  ::unlink(temporary.c_str());
}

void write_result_file(const std::filesystem::path& path, const std::string& body) {
  if (is_special(path)) {
    const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file) throw_errno(ErrorCode::not_saved, fmt::format("cannot open --out {}", path.string()), errno);
    write_all(file.get(), body + "\n", path);
    return;
  }
  const std::string temporary = temporary_beside(path);
  const FileDescriptor file = open_new(temporary);
  if (!file) throw_errno(ErrorCode::not_saved, fmt::format("cannot write --out {}", path.string()), errno);
  try {
    write_all(file.get(), body + "\n", path);
    if (::fsync(file.get()) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) {
      throw_errno(ErrorCode::not_saved, fmt::format("cannot write --out {}", path.string()), errno);
    }
  } catch (const Error&) {
    ::unlink(temporary.c_str());
    throw;
  }
}

}  // namespace gpuassay
