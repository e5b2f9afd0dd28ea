// What does a system file say? Every /proc, /sys and /etc file is read through this class, below a root that
// tests and GPUASSAY_SYSROOT can replace.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuassay {

/// Reads files below one directory. Paths are absolute as on the machine ("/proc/cpuinfo"); a path with a `..`
/// component, or a link that leads out of the root, reads as absent. Nothing here throws on a missing, unreadable
/// or irregular file: absence is the empty optional.
class SystemRoot {
 public:
  /// Files larger than this are cut off here: the largest real one, cpuinfo of 512 CPUs, has about 1 MiB.
  static constexpr std::size_t kMaxFileBytes = std::size_t{4} << 20;
  /// More entries of one directory than this are not listed.
  static constexpr std::size_t kMaxDirectoryEntries = 65536;

  explicit SystemRoot(std::filesystem::path root = "/");

  /// The first kMaxFileBytes of a regular file, byte for byte; empty when it cannot be read. Never blocks on a
  /// FIFO or a device.
  [[nodiscard]] std::optional<std::string> read_text(std::string_view absolute_path) const;
  /// read_text without leading and trailing white space; empty as well when nothing else is left.
  [[nodiscard]] std::optional<std::string> read_trimmed(std::string_view absolute_path) const;
  /// Whether the path names a file or directory of any kind.
  [[nodiscard]] bool exists(std::string_view absolute_path) const;
  /// Where the path lies in this process' own file system, for those who cannot read through this class (the loader
  /// of libraries); empty when it is absent.
  [[nodiscard]] std::optional<std::string> host_path(std::string_view absolute_path) const;
  /// Names of the entries, sorted; empty when there is no such directory.
  [[nodiscard]] std::vector<std::string> list_directory(std::string_view absolute_path) const;

  /// True when this is the machine itself and not a recorded or redirected root.
  [[nodiscard]] bool is_machine() const { return is_machine_; }

 private:
  /// Where the path lies on this machine; empty when it is absent or outside the root.
  [[nodiscard]] std::optional<std::filesystem::path> locate(std::string_view absolute_path) const;

  std::filesystem::path root_;  ///< canonical when it exists
  bool is_machine_ = false;
};

}  // namespace gpuassay
