// Copies between two devices, one way and both ways, by a copy engine and by a kernel.
#include <utility>
#include <vector>

#include "agent/backends/cuda_gate.h"
#include "agent/backends/cuda_operation.h"
#include "agent/backends/cuda_tensor.h"
#include "agent/workloads/output_check.h"
#include "core/error.h"

namespace gpuassay {
namespace {

constexpr auto kPeerFormat = kernels::ElementFormat::fp64;
constexpr std::int64_t kPeerWordBytes = 8;

/// Lets kernels and engines of `from` reach the memory of `to`; false where hardware or driver do not allow it.
bool enable_access(const CudaContext& from, const CudaContext& to) {
  const cuda::Api& api = from.api();
  if (api.cuDeviceCanAccessPeer == nullptr || api.cuCtxEnablePeerAccess == nullptr) return false;
  int can = 0;
  cuda::check(api, api.cuDeviceCanAccessPeer(&can, from.device(), to.device()), "cuDeviceCanAccessPeer");
  if (can == 0) return false;
  from.make_current();
  const int enabled = api.cuCtxEnablePeerAccess(to.handle(), 0);
  if (enabled != cuda::kPeerAccessAlreadyEnabled) cuda::check(api, enabled, "cuCtxEnablePeerAccess");
  return true;
}

/// One direction: the array that is read, where it lies, and where it goes.
struct Way {
  CudaContext* source_on = nullptr;
  CudaContext* target_on = nullptr;
  CudaContext* done_by = nullptr;  ///< on whose stream
  CudaTensor source;
  DeviceBuffer target;
};

class PeerCopy final : public CudaOperation {
 public:
  PeerCopy(std::shared_ptr<CudaContext> context, std::shared_ptr<CudaContext> peer, const BandwidthParams& params)
      : CudaOperation(std::move(context)),
        peer_(std::move(peer)),
        by_kernel_(params.level == MemoryLevel::sm),
        count_(params.array_bytes / kPeerWordBytes),
        timer_(this->context()),
        forked_(make_event(this->context().api(), cuda::kEventDisableTiming)),
        joined_(nullptr, this->context().api().cuEventDestroy_v2) {
    CudaContext& here = this->context();
    direct_ = enable_access(here, *peer_) && enable_access(*peer_, here);
    if (by_kernel_ && !direct_)
      throw Error(ErrorCode::unsupported, "a kernel cannot reach the memory of the other device (no peer access)");
    if (here.api().cuMemcpyPeerAsync == nullptr) throw Error(ErrorCode::unsupported, "the driver has no peer copies");
    peer_->make_current();
    joined_ = make_event(here.api(), cuda::kEventDisableTiming);
    if (params.kernel == BandwidthKernel::p2p_read) {
      add_way(*peer_, here, here);
    } else {
      add_way(here, *peer_, here);
    }
    if (params.kernel == BandwidthKernel::p2p_bidirectional) add_way(*peer_, here, *peer_);
    poison();
  }

  std::int64_t run_timed_ns(std::int64_t iterations) override {
    return timer_.time_ns([&] {
      const cuda::Api& api = context().api();
      const bool both = ways_.size() > 1;
      if (both) order_streams(api, context().stream(), forked_.get(), peer_->stream());
      for (std::int64_t i = 0; i < iterations; ++i) enqueue();
      if (both) {
        peer_->make_current();
        order_streams(api, peer_->stream(), joined_.get(), context().stream());
      }
      context().make_current();
    });
  }

  Verification verify() override {
    OutputCheck check({0, 0, true});
    const std::vector<std::int64_t> positions = sampled_positions(count_, {0, count_ - 1});
    for (const Way& way : ways_) {
      way.target_on->make_current();
      const auto bits = way.target_on->sample(way.target, kPeerWordBytes, positions);
      for (std::size_t i = 0; i < positions.size(); ++i) {
        const auto want = kernels::element_bits(kPeerFormat, way.source.seed, static_cast<std::uint64_t>(positions[i]));
        check.compare(bits[i] == want ? 0 : 1, ReferenceValue{});
      }
    }
    poison();
    return check.result();
  }

 protected:
  [[nodiscard]] std::string implementation() const override {
    return direct_ ? "peer access" : "no peer access: through the host";
  }
  [[nodiscard]] bool recordable() const override { return false; }

  void enqueue() override {
    for (const Way& way : ways_) enqueue(way);
  }

 private:
  void add_way(CudaContext& source_on, CudaContext& target_on, CudaContext& done_by) {
    Way way{&source_on, &target_on, &done_by, {}, {}};
    source_on.make_current();
    way.source = filled_tensor(source_on, kPeerFormat, count_);
    source_on.synchronize();
    target_on.make_current();
    way.target = target_on.allocate(static_cast<std::size_t>(count_ * kPeerWordBytes));
    ways_.push_back(std::move(way));
  }

  void enqueue(const Way& way) const {
    if (!by_kernel_) {
      const cuda::Api& api = way.done_by->api();
      cuda::check(api,
                  api.cuMemcpyPeerAsync(way.target.address(), way.target_on->handle(), way.source.buffer.address(),
                                        way.source_on->handle(), static_cast<std::size_t>(count_ * kPeerWordBytes),
                                        way.done_by->stream()),
                  "cuMemcpyPeerAsync");
      return;
    }
    way.done_by->make_current();
    kernels::StreamArguments arguments{};
    arguments.a = way.source.buffer.address();
    arguments.c = way.target.address();
    arguments.count = static_cast<std::uint64_t>(count_);
    way.done_by->launch(kernels::kStreamCopy, blocks_for(count_ * kPeerWordBytes, kernels::kStreamTileBytes),
                        arguments);
  }

  void poison() {
    for (Way& way : ways_) {
      way.target_on->make_current();
      way.target_on->fill_words(way.target, kPoison);
      way.target_on->synchronize();
    }
    context().make_current();
  }

  std::shared_ptr<CudaContext> peer_;
  bool by_kernel_;
  std::int64_t count_;
  bool direct_ = false;
  GatedTimer timer_;
  OwnedEvent forked_, joined_;
  std::vector<Way> ways_;
};

}  // namespace

std::unique_ptr<Operation> prepare_cuda_peer(std::shared_ptr<CudaContext> context, std::shared_ptr<CudaContext> peer,
                                             const BandwidthParams& params) {
  return std::make_unique<PeerCopy>(std::move(context), std::move(peer), params);
}

}  // namespace gpuassay
