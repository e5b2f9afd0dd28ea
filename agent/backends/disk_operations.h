// How fast does the data directory's disk write and read? One file, one thread, block after block, as checkpoints are
// written and data sets and models are read.
#pragma once

#include <filesystem>
#include <memory>
#include <span>

#include "agent/backends/backend.h"
#include "agent/backends/scratch_file.h"
#include "core/model.h"

namespace gpuassay {

/// Writes with the sync that makes them durable, or reads past the page cache. Every block of every timed read is
/// compared at 64 places; what the last timed run wrote is read back. `params` says the most. Throws as ScratchFile
/// does.
std::unique_ptr<Operation> prepare_disk(const std::filesystem::path& folder, const DiskParams& params);

/// The limits that the parameters of a case stand for. Throws Error{unsupported} for what is no size.
ScratchLimits scratch_limits(const DiskParams& params);

/// Compares blocks that were read with what was written.
class BlockCheck {
 public:
  explicit BlockCheck(const ScratchFile& file) : file_(file) {}
  /// At 64 places, which others are for each block.
  void sample(std::int64_t index, std::span<const unsigned char> got);
  /// All of it.
  void whole(std::int64_t index, std::span<const unsigned char> got);
  /// `equal` of a comparison made elsewhere.
  void add(bool equal);
  [[nodiscard]] Verification result() const;

 private:
  const ScratchFile& file_;
  std::int64_t positions_ = 0, wrong_ = 0;
};

}  // namespace gpuassay
