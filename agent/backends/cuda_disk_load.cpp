// How fast does a model come from the disk into the device's memory? One thread reads blocks into page-locked buffers
// while the blocks before them are copied.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "agent/backends/cuda_operation.h"
#include "agent/backends/disk_operations.h"
#include "agent/workloads/output_check.h"

namespace gpuassay {
namespace {

/// One is read, one is copied, one waits.
constexpr std::int64_t kBuffers = 3;

/// Which blocks were read and which were copied: what the reading thread and the copying one tell each other.
class Handover {
 public:
  /// The reader asks before block `index`: its buffer must have been copied. False when the copies have ended early.
  bool wait_for_buffer(std::int64_t index) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_ || copied_ + kBuffers > index; });
    return !ended_;
  }
  void has_read(std::exception_ptr problem = nullptr) {
    const std::lock_guard lock(mutex_);
    ++read_;
    if (problem) problem_ = std::move(problem);
    changed_.notify_all();
  }
  /// Throws what went wrong in reading.
  void wait_for_block(std::int64_t index) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return read_ > index || problem_; });
    if (problem_) std::rethrow_exception(problem_);
  }
  void has_copied(std::int64_t count) {
    const std::lock_guard lock(mutex_);
    copied_ = count;
    changed_.notify_all();
  }
  void end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t read_ = 0, copied_ = 0;
  std::exception_ptr problem_;
  bool ended_ = false;
};

/// The reading thread, which has ended when this is destroyed.
class ReadingThread {
 public:
  template <class Work>
  ReadingThread(Handover& handover, const Work& work) : handover_(handover), thread_(work) {}
  ReadingThread(const ReadingThread&) = delete;
  ReadingThread& operator=(const ReadingThread&) = delete;
  ~ReadingThread() {
    handover_.end();
    thread_.join();
  }

 private:
  Handover& handover_;
  std::thread thread_;
};

class DiskLoad final : public Operation {
 public:
  DiskLoad(std::shared_ptr<CudaContext> context, const std::filesystem::path& folder, const DiskParams& params)
      : context_(std::move(context)), params_(params), file_(folder, scratch_limits(params)) {
    params_.bytes = file_.size_bytes();
    target_ = context_->allocate(static_cast<std::size_t>(params_.bytes));
    for (std::size_t i = 0; i < buffers_.size(); ++i) {
      buffers_[i] = PinnedBuffer(context_->api(), file_.block_bytes());
      copied_.push_back(make_event(context_->api(), cuda::kEventDisableTiming));
    }
    file_.read_past_cache(buffers_[0].bytes());
    context_->fill_words(target_, kPoison);
  }

  std::int64_t run_timed_ns(std::int64_t iterations) override {
    std::int64_t total_ns = 0;
    for (std::int64_t i = 0; i < iterations; ++i) {
      file_.forget();
      const auto begin = std::chrono::steady_clock::now();
      load();
      const auto took = std::chrono::steady_clock::now() - begin;
      total_ns += std::chrono::duration_cast<std::chrono::nanoseconds>(took).count();
    }
    return total_ns;
  }

  /// What arrived in device memory, at 64 places and at the first and last word of every block.
  Verification verify() override {
    constexpr std::int64_t kWord = sizeof(std::uint64_t);
    const std::int64_t words = params_.bytes / kWord, words_of_block = params_.block_bytes / kWord;
    std::vector<std::int64_t> always;
    for (std::int64_t word = 0; word < words; word += words_of_block) {
      always.push_back(word);
      always.push_back(word + words_of_block - 1);
    }
    const std::vector<std::int64_t> positions = sampled_positions(words, always);
    const std::vector<std::uint64_t> got = context_->sample(target_, kWord, positions);
    BlockCheck check(file_);
    for (std::size_t i = 0; i < positions.size(); ++i) {
      const auto place = static_cast<std::size_t>(positions[i] % words_of_block * kWord);
      const auto want = file_.content(positions[i] / words_of_block).subspan(place, kWord);
      check.add(std::memcmp(&got[i], want.data(), kWord) == 0);
    }
    context_->fill_words(target_, kPoison);
    return check.result();
  }

  [[nodiscard]] std::optional<OperationParams> performed() const override { return params_; }
  [[nodiscard]] std::string algorithm() const override {
    return fmt::format("{}, {} pinned buffers", file_.how_read(), kBuffers);
  }

 private:
  void load() {
    Handover handover;
    const ReadingThread reader(handover, [&] { read_blocks(handover); });
    const cuda::Api& api = context_->api();
    for (std::int64_t index = 0; index < file_.blocks(); ++index) {
      handover.wait_for_block(index);
      const auto at = static_cast<std::size_t>(index % kBuffers);
      cuda::check(api,
                  api.cuMemcpyHtoDAsync_v2(target_.address() + static_cast<std::uint64_t>(index * params_.block_bytes),
                                           buffers_[at].data(), file_.block_bytes(), context_->stream()),
                  "cuMemcpyHtoDAsync_v2");
      cuda::check(api, api.cuEventRecord(copied_[at].get(), context_->stream()), "cuEventRecord");
      if (index == 0) continue;
      const auto before = static_cast<std::size_t>((index - 1) % kBuffers);
      cuda::check(api, api.cuEventSynchronize(copied_[before].get()), "cuEventSynchronize");
      handover.has_copied(index);
    }
    context_->synchronize();
  }

  void read_blocks(Handover& handover) const {
    for (std::int64_t index = 0; index < file_.blocks() && handover.wait_for_buffer(index); ++index) {
      try {
        file_.read(index, buffers_[static_cast<std::size_t>(index % kBuffers)].bytes());
        handover.has_read();
      } catch (...) {
        return handover.has_read(std::current_exception());
      }
    }
  }

  std::shared_ptr<CudaContext> context_;
  DiskParams params_;
  ScratchFile file_;
  DeviceBuffer target_;
  std::array<PinnedBuffer, kBuffers> buffers_;
  std::vector<OwnedEvent> copied_;
};

}  // namespace

std::unique_ptr<Operation> prepare_cuda_disk_load(std::shared_ptr<CudaContext> context,
                                                  const std::filesystem::path& folder, const DiskParams& params) {
  if (params.kind != DiskKind::disk_to_device)
    throw Error(ErrorCode::unsupported, "what a disk does without a device is of the machine as a whole");
  // Other programs may have taken memory since the plan was made.
  DiskParams fitting = params;
  const std::int64_t most = std::min(params.bytes, context->free_bytes() / 2);
  fitting.bytes = std::max(most / params.block_bytes, std::int64_t{1}) * params.block_bytes;
  return std::make_unique<DiskLoad>(std::move(context), folder, fitting);
}

}  // namespace gpuassay
