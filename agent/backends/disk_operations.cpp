#include "agent/backends/disk_operations.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "agent/backends/aligned_buffer.h"
#include "agent/workloads/output_check.h"
#include "agent/workloads/random_inputs.h"
#include "core/error.h"

namespace gpuassay {
namespace {

using DiskClock = std::chrono::steady_clock;

std::int64_t ns_since(DiskClock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(DiskClock::now() - begin).count();
}

/// What writing and reading share.
class DiskOperation : public Operation {
 public:
  DiskOperation(const std::filesystem::path& folder, const DiskParams& params)
      : params_(params), file_(folder, scratch_limits(params)), buffer_(file_.block_bytes()) {
    params_.bytes = file_.size_bytes();
  }

  [[nodiscard]] std::optional<OperationParams> performed() const override { return params_; }

 protected:
  [[nodiscard]] ScratchFile& file() { return file_; }
  [[nodiscard]] const ScratchFile& file() const { return file_; }
  [[nodiscard]] std::span<unsigned char> buffer() const { return buffer_.as<unsigned char>(); }

 private:
  DiskParams params_;
  ScratchFile file_;
  AlignedBuffer buffer_;
};

class DiskWrite final : public DiskOperation {
 public:
  using DiskOperation::DiskOperation;

  std::int64_t run_timed_ns(std::int64_t iterations) override {
    file().use_cache();
    std::int64_t total_ns = 0;
    for (std::int64_t i = 0; i < iterations; ++i) {
      file().empty();
      const auto begin = DiskClock::now();
      file().write_all();
      total_ns += ns_since(begin);
    }
    return total_ns;
  }

  /// Reads back from the disk: the first and the last block, and some between.
  Verification verify() override {
    constexpr std::int64_t kMostRead = 16;
    BlockCheck check(file());
    file().read_past_cache(buffer());
    const std::int64_t last = file().blocks() - 1;
    const std::int64_t parts = std::min(kMostRead - 1, std::max<std::int64_t>(last, 1));
    for (std::int64_t part = 0; part <= std::min(parts, last); ++part) {
      const std::int64_t index = last * part / parts;
      file().read(index, buffer());
      check.whole(index, buffer());
    }
    return check.result();
  }

  [[nodiscard]] std::string algorithm() const override { return "with fsync, " + file().file_system(); }
};

class DiskRead final : public DiskOperation {
 public:
  DiskRead(const std::filesystem::path& folder, const DiskParams& params)
      : DiskOperation(folder, params), check_(file()) {
    file().read_past_cache(buffer());
  }

  std::int64_t run_timed_ns(std::int64_t iterations) override {
    std::int64_t total_ns = 0;
    for (std::int64_t i = 0; i < iterations; ++i) {
      file().forget();
      const auto begin = DiskClock::now();
      for (std::int64_t index = 0; index < file().blocks(); ++index) {
        file().read(index, buffer());
        check_.sample(index, buffer());
      }
      total_ns += ns_since(begin);
    }
    return total_ns;
  }

  Verification verify() override { return check_.result(); }

  [[nodiscard]] std::string algorithm() const override { return file().how_read(); }

 private:
  BlockCheck check_;
};

}  // namespace

void BlockCheck::sample(std::int64_t index, std::span<const unsigned char> got) {
  const std::span<const unsigned char> want = file_.content(index);
  constexpr std::uint64_t kWord = sizeof(std::uint64_t);
  for (std::int64_t i = 0; i < kSampledPositions; ++i) {
    const std::uint64_t place =
        random_bits(static_cast<std::uint64_t>(index), static_cast<std::uint64_t>(i)) % (want.size() / kWord) * kWord;
    add(std::memcmp(got.data() + place, want.data() + place, kWord) == 0);
  }
}

void BlockCheck::whole(std::int64_t index, std::span<const unsigned char> got) {
  const std::span<const unsigned char> want = file_.content(index);
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  for (std::size_t place = 0; place + kWord <= want.size(); place += kWord)
    add(std::memcmp(got.data() + place, want.data() + place, kWord) == 0);
}

void BlockCheck::add(bool equal) {
  ++positions_;
  if (!equal) ++wrong_;
}

Verification BlockCheck::result() const {
  return {"read_back", "absolute", positions_, wrong_ > 0 ? 1.0 : 0.0, 0, positions_ > 0 && wrong_ == 0};
}

ScratchLimits scratch_limits(const DiskParams& params) {
  constexpr std::int64_t kPageBytes = 4096;
  if (params.block_bytes < kPageBytes || params.block_bytes % kPageBytes != 0 || params.bytes < params.block_bytes) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{} bytes in blocks of {} are no blocks of whole pages", params.bytes, params.block_bytes));
  }
  ScratchLimits limits;
  limits.most_bytes = params.bytes;
  limits.block_bytes = params.block_bytes;
  return limits;
}

std::unique_ptr<Operation> prepare_disk(const std::filesystem::path& folder, const DiskParams& params) {
  if (params.kind == DiskKind::sequential_write) return std::make_unique<DiskWrite>(folder, params);
  if (params.kind == DiskKind::sequential_read) return std::make_unique<DiskRead>(folder, params);
  throw Error(ErrorCode::unsupported, "there is no device to load into");
}

}  // namespace gpuassay
