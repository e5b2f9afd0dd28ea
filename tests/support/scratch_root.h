// A file-system root that a test fills itself; it is removed with the object.
#pragma once

#include <filesystem>
#include <string_view>

namespace gpuassay::test {

class ScratchRoot {
 public:
  /// An empty directory of its own in the temporary directory.
  ScratchRoot();
  ScratchRoot(const ScratchRoot&) = delete;
  ScratchRoot& operator=(const ScratchRoot&) = delete;
  ~ScratchRoot();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// Writes a file, making its directories; `absolute_path` is the path below the root, with a leading '/'.
  void write(std::string_view absolute_path, std::string_view text) const;
  /// Makes a symbolic link whose target is taken as it is.
  void link(std::string_view absolute_path, std::string_view target) const;
  /// Copies everything below `source`.
  void copy_from(const std::filesystem::path& source) const;

 private:
  std::filesystem::path path_;
};

}  // namespace gpuassay::test
