// What does starting a kernel cost? Empty kernels one after the other, launched singly or as the nodes of one graph.
#include <utility>

#include "agent/backends/cuda_operation.h"
#include "agent/workloads/output_check.h"
#include "core/error.h"

namespace gpuassay {
namespace {

/// What both kinds share: the kernel, and the proof that the stream really ran in order.
class LaunchLatency : public CudaOperation {
 public:
  explicit LaunchLatency(std::shared_ptr<CudaContext> context)
      : CudaOperation(std::move(context)),
        empty_(this->context().modules().function("base", kernels::kEmpty)),
        word_(this->context().allocate(sizeof(std::uint32_t))) {}

  /// An empty kernel leaves nothing to compare: what is checked is that a write queued behind the launches happens.
  Verification verify() override {
    constexpr std::uint32_t kMark = 0x6d61726bU;
    context().fill_words(word_, kPoison);
    (void)run_timed_ns(1);
    context().fill_words(word_, kMark);
    OutputCheck check({0, 0, true});
    check.compare(static_cast<double>(context().sample(word_, sizeof kMark, {0}).front()),
                  ReferenceValue{static_cast<double>(kMark), 0});
    Verification verification = check.result();
    verification.method = "stream_order";
    return verification;
  }

 protected:
  [[nodiscard]] bool recordable() const override { return false; }
  void launch_empty() { context().launch_raw(empty_, 1, 1, nullptr); }

 private:
  cuda::Function empty_;
  DeviceBuffer word_;
};

class KernelLaunch final : public LaunchLatency {
 public:
  using LaunchLatency::LaunchLatency;

 protected:
  void enqueue() override { launch_empty(); }
};

class GraphLaunch final : public LaunchLatency {
 public:
  explicit GraphLaunch(std::shared_ptr<CudaContext> shared)
      : LaunchLatency(std::move(shared)), graph_(CudaGraph::record(context(), kNodes, [this] {
          for (std::int64_t i = 0; i < kNodes; ++i) launch_empty();
        })) {
    if (!graph_) throw Error(ErrorCode::unsupported, "this driver does not record CUDA graphs; a newer one may");
  }

  /// One operation is one node: whole graphs are launched and their time is shared out.
  std::int64_t run_timed_ns(std::int64_t iterations) override {
    const std::int64_t graphs = (iterations + kNodes - 1) / kNodes;
    const auto time_ns = static_cast<double>(LaunchLatency::run_timed_ns(graphs));
    return static_cast<std::int64_t>(time_ns * static_cast<double>(iterations) / static_cast<double>(graphs * kNodes));
  }

 protected:
  void enqueue() override { graph_->launch(); }

 private:
  /// About the kernels of one layer's forward and backward pass.
  static constexpr std::int64_t kNodes = 64;

  std::optional<CudaGraph> graph_;
};

}  // namespace

std::unique_ptr<Operation> prepare_cuda_latency(std::shared_ptr<CudaContext> context, const LatencyParams& params) {
  if (params.kind == LatencyKind::graph_launch) return std::make_unique<GraphLaunch>(std::move(context));
  return std::make_unique<KernelLaunch>(std::move(context));
}

}  // namespace gpuassay
