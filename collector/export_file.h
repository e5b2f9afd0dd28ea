// Where do the bytes of an export wait for a client that reads slowly? In a file without a name, of which there is only
// so much.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace gpuassay {

/// What all exports together may hold on disk. Safe to use from any thread.
class ExportSpace {
 public:
  /// `folder` is where the files are made; empty: $TMPDIR, else /tmp.
  explicit ExportSpace(std::string folder = {}, std::uint64_t most_bytes = kMostBytes);

  [[nodiscard]] const std::string& folder() const { return folder_; }
  /// False when so much more would be beyond the limit.
  bool take(std::uint64_t bytes);
  void give_back(std::uint64_t bytes) { held_bytes_ -= bytes; }
  [[nodiscard]] std::uint64_t held_bytes() const { return held_bytes_; }

  static constexpr std::uint64_t kMostBytes = std::uint64_t{4} << 30U;

 private:
  std::string folder_;
  std::uint64_t most_bytes_;
  std::atomic<std::uint64_t> held_bytes_ = 0;
};

/// Written once, then read once. Nobody else can open the file, and it is gone with its last user, however that ends.
class ExportFile {
 public:
  /// `space` must outlive it. Throws Error{database}.
  explicit ExportFile(ExportSpace& space);
  ~ExportFile();
  ExportFile(const ExportFile&) = delete;
  ExportFile& operator=(const ExportFile&) = delete;

  /// Throws Error{database} when the disk or the space is full.
  void write(std::string_view bytes);
  /// From now on it is read.
  void rewind();
  /// The next piece; empty at the end. Throws Error{database}.
  std::string read();

 private:
  void reserve(std::uint64_t bytes);

  ExportSpace& space_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  std::uint64_t reserved_bytes_ = 0, written_bytes_ = 0;
};

}  // namespace gpuassay
