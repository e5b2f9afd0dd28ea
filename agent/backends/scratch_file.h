// Where do the disk cases write? A file without a name in the data directory, which goes away with its process however
// that ends, full of bytes that no disk can compress or has already.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "agent/file_descriptor.h"
#include "core/model.h"

namespace gpuassay {

/// How large the file may become and how long its making may last.
struct ScratchLimits {
  std::int64_t most_bytes = 0, block_bytes = 0;
  /// It is made for as long as a disk of this speed would need for all of it: a slower one gets a smaller file.
  double expected_gb_per_s = 1.5;
  double longest_block_s = 4;  ///< a disk that needs longer for its first block is left alone
};

/// Bytes that a file may take of a disk on which `free_bytes` are free: whole blocks, a tenth of what is left after
/// 128 MiB, twice what a run needs to be saved.
std::int64_t affordable_bytes(std::int64_t free_bytes, const ScratchLimits& limits);

/// Not thread-safe, but one thread may read while another looks at what was read. Everything throws
/// Error{unsupported} for what the machine does not allow (full, read-only, quota, in memory) and Error{library_failed}
/// for what the disk answers else; no message has a path.
class ScratchFile {
 public:
  /// Opens it in `folder`, which exists, and writes, durably, as many blocks as the limits allow, one at least.
  ScratchFile(const std::filesystem::path& folder, const ScratchLimits& limits);

  [[nodiscard]] std::int64_t blocks() const { return blocks_; }
  [[nodiscard]] std::size_t block_bytes() const { return block_bytes_; }
  [[nodiscard]] std::int64_t size_bytes() const { return blocks_ * static_cast<std::int64_t>(block_bytes_); }

  /// Makes the file empty and takes other bytes for the next write_all().
  void empty();
  /// Writes every block, and syncs: when it returns the file is durable.
  void write_all() const;

  /// From now on blocks are read from the disk: O_DIRECT where the file system does that into `probe`, a buffer of a
  /// block aligned to a page; else without what the page cache has, which forget() drops.
  void read_past_cache(std::span<unsigned char> probe);
  /// Before each time that blocks are read.
  void forget() const;
  /// Reads block `index` into `target`, of a block.
  void read(std::int64_t index, std::span<unsigned char> target) const;
  /// Ordinary writes again.
  void use_cache() const;

  /// What block `index` holds.
  [[nodiscard]] std::span<const unsigned char> content(std::int64_t index) const;

  /// "O_DIRECT, ext4", "page cache dropped, nfs", or the file system alone.
  [[nodiscard]] std::string how_read() const;
  [[nodiscard]] const std::string& file_system() const { return file_system_; }

 private:
  void grow(const ScratchLimits& limits);
  [[nodiscard]] double write_s(std::int64_t first, std::int64_t count) const;
  void write_block(std::int64_t index) const;
  [[nodiscard]] bool is_cached() const;
  [[nodiscard]] bool try_direct(std::span<unsigned char> probe) const;

  FileDescriptor file_;
  std::string file_system_;
  std::size_t block_bytes_;
  std::vector<unsigned char> pool_;  ///< every block is a part of it
  std::int64_t blocks_ = 0;
  std::int64_t first_shift_ = 0;
  bool direct_ = false;
};

/// The error of a call on the file.
[[noreturn]] void throw_disk_error(const char* doing, int errno_value);

}  // namespace gpuassay
