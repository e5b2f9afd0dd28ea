#include "agent/system_root.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "agent/file_descriptor.h"
#include "agent/probe/text_fields.h"

namespace gpuassay {
namespace {

namespace fs = std::filesystem;

bool is_below(const fs::path& path, const fs::path& root) {
  const auto [root_end, path_end] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  return root_end == root.end();
}

}  // namespace

SystemRoot::SystemRoot(fs::path root) : root_(std::move(root)) {
  std::error_code error;
  if (auto canonical = fs::canonical(root_, error); !error) root_ = std::move(canonical);
  is_machine_ = root_ == "/";
}

std::optional<fs::path> SystemRoot::locate(std::string_view absolute_path) const {
  // File contents (a cgroup path, a mount point) become part of paths, so a path is checked like any input.
  if (absolute_path.empty() || absolute_path.front() != '/') return std::nullopt;
  if (absolute_path.find('\0') != std::string_view::npos) return std::nullopt;
  const fs::path relative = fs::path(absolute_path).relative_path();
  if (std::find(relative.begin(), relative.end(), "..") != relative.end()) return std::nullopt;
  fs::path joined = root_ / relative;
  std::error_code error;
  if (is_machine_) return fs::exists(joined, error) ? std::optional(std::move(joined)) : std::nullopt;
  fs::path real = fs::canonical(joined, error);
  if (error || !is_below(real, root_)) return std::nullopt;
  return real;
}

std::optional<std::string> SystemRoot::read_text(std::string_view absolute_path) const {
  const auto path = locate(absolute_path);
  if (!path) return std::nullopt;
  const FileDescriptor file(::open(path->c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) return std::nullopt;
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;

  // Sizes of /proc and /sys files say 0 or one page: read until the end instead.
  std::string text;
  std::array<char, 16384> buffer{};
  while (text.size() < kMaxFileBytes) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::nullopt;
    if (count == 0) break;
    text.append(buffer.data(), std::min(static_cast<std::size_t>(count), kMaxFileBytes - text.size()));
  }
  return text;
}

std::optional<std::string> SystemRoot::read_trimmed(std::string_view absolute_path) const {
  const auto text = read_text(absolute_path);
  if (!text) return std::nullopt;
  const std::string_view trimmed = trim(*text);
  if (trimmed.empty()) return std::nullopt;
  return std::string(trimmed);
}

bool SystemRoot::exists(std::string_view absolute_path) const { return locate(absolute_path).has_value(); }

std::optional<std::string> SystemRoot::host_path(std::string_view absolute_path) const {
  const auto path = locate(absolute_path);
  if (!path) return std::nullopt;
  return path->string();
}

std::vector<std::string> SystemRoot::list_directory(std::string_view absolute_path) const {
  std::vector<std::string> names;
  const auto path = locate(absolute_path);
  if (!path) return names;
  std::error_code error;
  for (fs::directory_iterator entry(*path, error), end; !error && entry != end; entry.increment(error)) {
    if (names.size() == kMaxDirectoryEntries) break;
    names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace gpuassay
