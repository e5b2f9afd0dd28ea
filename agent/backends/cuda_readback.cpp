// Is the memory there that the device says to have? Nearly all that is free is written with the numbers of its own
// words and read back, whole: two addresses that share a cell, or cells that are not there, give another sum.
#include <algorithm>
#include <utility>

#include "agent/backends/cuda_operation.h"
#include "agent/workloads/output_check.h"
#include "agent/workloads/random_inputs.h"

namespace gpuassay {
namespace {

constexpr std::int64_t kCountBytes = 8;
constexpr std::int64_t kTileCounts = kernels::kTileBytes / kCountBytes;
/// Few enough for all their sums to be checked, enough to fill any device.
constexpr std::int64_t kMostBlocks = 4096;

/// first + (first + 1) + ... of `count` words, modulo 2^64.
std::uint64_t sum_of_counting(std::uint64_t first, std::uint64_t count) {
  const std::uint64_t pairs = count % 2 == 0 ? count / 2 * (count - 1) : (count - 1) / 2 * count;
  return count * first + pairs;
}

class Readback final : public CudaOperation {
 public:
  Readback(std::shared_ptr<CudaContext> shared, const BandwidthParams& params)
      : CudaOperation(std::move(shared)),
        words_(params.array_bytes / 16 * 2),
        memory_(context().allocate(static_cast<std::size_t>(words_ * kCountBytes))),
        blocks_(std::min(kMostBlocks, blocks_for(words_, kTileCounts))),
        sums_(context().allocate(static_cast<std::size_t>(blocks_ * kCountBytes))) {
    context().fill_words(sums_, kPoison);
  }

  /// Every block's sum, which is of every word, and single words at random places.
  Verification verify() override {
    OutputCheck check({0, 0, true});
    std::vector<std::uint64_t> sums(static_cast<std::size_t>(blocks_));
    context().read(sums_, std::as_writable_bytes(std::span(sums)));
    for (std::int64_t block = 0; block < blocks_; ++block)
      check.compare(sums[static_cast<std::size_t>(block)] == expected_sum(block) ? 0 : 1, ReferenceValue{});
    const std::vector<std::int64_t> places = sampled_positions(words_, {0, words_ - 1});
    const std::vector<std::uint64_t> found = context().sample(memory_, kCountBytes, places);
    for (std::size_t i = 0; i < places.size(); ++i)
      check.compare(found[i] == first_word_ + static_cast<std::uint64_t>(places[i]) ? 0 : 1, ReferenceValue{});
    context().fill_words(sums_, kPoison);
    Verification verification = check.result();
    verification.method = "exact_recomputation";
    return verification;
  }

 protected:
  [[nodiscard]] bool recordable() const override { return false; }

  void enqueue() override {
    // Other numbers each time: what an earlier run left behind is no answer.
    first_word_ += static_cast<std::uint64_t>(words_);
    kernels::WriteArguments writing{};
    writing.destination = memory_.address();
    writing.size_bytes = static_cast<std::uint64_t>(words_ * kCountBytes);
    writing.first_word = first_word_;
    context().launch(kernels::kWrite, blocks_for(words_, kTileCounts), writing);
    kernels::ReadArguments reading{};
    reading.source = memory_.address();
    reading.size_bytes = writing.size_bytes;
    reading.block_sums = sums_.address();
    reading.passes = 1;
    context().launch(kernels::kRead, blocks_, reading);
  }

 private:
  /// Of the tiles `block`, block + blocks_, ...: see gpuassay_read.
  [[nodiscard]] std::uint64_t expected_sum(std::int64_t block) const {
    std::uint64_t sum = 0;
    for (std::int64_t begin = block * kTileCounts; begin < words_; begin += blocks_ * kTileCounts) {
      const auto count = static_cast<std::uint64_t>(std::min(kTileCounts, words_ - begin));
      sum += sum_of_counting(first_word_ + static_cast<std::uint64_t>(begin), count);
    }
    return sum;
  }

  std::int64_t words_;
  DeviceBuffer memory_;
  std::int64_t blocks_;
  DeviceBuffer sums_;
  std::uint64_t first_word_ = 1;
};

}  // namespace

std::unique_ptr<Operation> prepare_cuda_readback(std::shared_ptr<CudaContext> context, const BandwidthParams& params) {
  return std::make_unique<Readback>(std::move(context), params);
}

}  // namespace gpuassay
