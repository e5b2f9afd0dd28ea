// Copies between host and device, one way and both ways, from page-locked and from ordinary memory.
#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "agent/backends/aligned_buffer.h"
#include "agent/backends/cuda_gate.h"
#include "agent/backends/cuda_operation.h"
#include "agent/backends/cuda_tensor.h"
#include "agent/workloads/output_check.h"
#include "core/error.h"

namespace gpuassay {
namespace {

/// Host memory of either kind.
class HostArray {
 public:
  HostArray(const cuda::Api& api, std::size_t size_bytes, MemoryLevel level) {
    if (level == MemoryLevel::pinned) {
      pinned_ = PinnedBuffer(api, size_bytes);
    } else {
      pageable_ = AlignedBuffer(size_bytes);
    }
  }
  [[nodiscard]] void* data() const { return pinned_.data() != nullptr ? pinned_.data() : pageable_.data(); }
  [[nodiscard]] std::uint64_t word(std::int64_t index) const {
    std::uint64_t bits = 0;
    std::memcpy(&bits, static_cast<const std::byte*>(data()) + index * 8, sizeof bits);
    return bits;
  }

 private:
  PinnedBuffer pinned_;
  AlignedBuffer pageable_;
};

/// A second stream, for the way back.
class SecondStream {
 public:
  explicit SecondStream(const cuda::Api& api)
      : api_(api),
        stream_(make_stream(api)),
        forked_(make_event(api, cuda::kEventDisableTiming)),
        joined_(make_event(api, cuda::kEventDisableTiming)) {}
  [[nodiscard]] cuda::Stream get() const { return stream_.get(); }
  /// Work queued here from now on starts after what `first` has now.
  void fork_from(cuda::Stream first) const { order_streams(api_, first, forked_.get(), stream_.get()); }
  /// Work queued on `first` from now on starts after what is queued here now.
  void join_to(cuda::Stream first) const { order_streams(api_, stream_.get(), joined_.get(), first); }

 private:
  const cuda::Api& api_;
  OwnedStream stream_;
  OwnedEvent forked_, joined_;
};

class Transfer final : public CudaOperation {
 public:
  Transfer(std::shared_ptr<CudaContext> context, const BandwidthParams& params)
      : CudaOperation(std::move(context)),
        params_(params),
        count_(params.array_bytes / 8),
        // Copies of ordinary memory are staged by the host as they are queued: a gate would hold nothing back.
        timer_(this->context(), params.level == MemoryLevel::pinned) {
    const cuda::Api& api = this->context().api();
    const auto size_bytes = static_cast<std::size_t>(count_ * 8);
    if (up()) {
      up_host_.emplace(api, size_bytes, params.level);
      up_device_ = this->context().allocate(size_bytes);
      fill_host();
    }
    if (down()) {
      down_host_.emplace(api, size_bytes, params.level);
      down_device_ = filled_tensor(this->context(), kernels::ElementFormat::fp64, count_);
    }
    if (up() && down()) second_.emplace(api);
    poison();
    this->context().synchronize();
  }

  std::int64_t run_timed_ns(std::int64_t iterations) override {
    return timer_.time_ns([&] {
      if (second_) second_->fork_from(context().stream());
      for (std::int64_t i = 0; i < iterations; ++i) enqueue();
      if (second_) second_->join_to(context().stream());
    });
  }

  Verification verify() override {
    OutputCheck check({0, 0, true});
    const std::vector<std::int64_t> positions = sampled_positions(count_, {0, count_ - 1});
    if (up()) {
      const auto bits = context().sample(up_device_, 8, positions);
      for (std::size_t i = 0; i < positions.size(); ++i) {
        compare(check, bits[i], kernels::hash(kHostSeed, static_cast<std::uint64_t>(positions[i])));
      }
    }
    if (down()) {
      for (const std::int64_t position : positions) {
        compare(check, down_host_->word(position),
                kernels::element_bits(kernels::ElementFormat::fp64, down_device_.seed,
                                      static_cast<std::uint64_t>(position)));
      }
    }
    poison();
    return check.result();
  }

 protected:
  void enqueue() override {
    const cuda::Api& api = context().api();
    const auto size_bytes = static_cast<std::size_t>(count_ * 8);
    if (up()) {
      cuda::check(api, api.cuMemcpyHtoDAsync_v2(up_device_.address(), up_host_->data(), size_bytes, context().stream()),
                  "cuMemcpyHtoDAsync_v2");
    }
    if (down()) {
      auto* const stream = second_ ? second_->get() : context().stream();
      cuda::check(api, api.cuMemcpyDtoHAsync_v2(down_host_->data(), down_device_.buffer.address(), size_bytes, stream),
                  "cuMemcpyDtoHAsync_v2");
    }
  }

 private:
  static constexpr std::uint64_t kHostSeed = 0x7472616e73666572ULL;

  [[nodiscard]] bool up() const { return params_.kernel != BandwidthKernel::d2h; }
  [[nodiscard]] bool down() const { return params_.kernel != BandwidthKernel::h2d; }

  void fill_host() {
    auto* words = static_cast<std::uint64_t*>(up_host_->data());
    for (std::int64_t i = 0; i < count_; ++i) words[i] = kernels::hash(kHostSeed, static_cast<std::uint64_t>(i));
  }

  /// Equal or not; the difference of two hashes says nothing.
  static void compare(OutputCheck& check, std::uint64_t got, std::uint64_t want) {
    check.compare(got == want ? 0 : 1, ReferenceValue{});
  }

  void poison() {
    if (up()) context().fill_words(up_device_, kPoison);
    if (down()) std::memset(down_host_->data(), 0xff, static_cast<std::size_t>(count_ * 8));
  }

  BandwidthParams params_;
  std::int64_t count_;
  GatedTimer timer_;
  std::optional<HostArray> up_host_, down_host_;
  DeviceBuffer up_device_;
  CudaTensor down_device_;
  std::optional<SecondStream> second_;
};

}  // namespace

std::unique_ptr<Operation> prepare_cuda_transfer(std::shared_ptr<CudaContext> context, const BandwidthParams& params) {
  return std::make_unique<Transfer>(std::move(context), params);
}

}  // namespace gpuassay
