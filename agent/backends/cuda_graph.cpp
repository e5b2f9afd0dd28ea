#include "agent/backends/cuda_graph.h"

#include <utility>

#include "core/error.h"

namespace gpuassay {

std::optional<CudaGraph> CudaGraph::record(const CudaContext& context, std::int64_t operations,
                                           const std::function<void()>& enqueue) {
  const cuda::Api& api = context.api();
  if (api.cuStreamBeginCapture_v2 == nullptr || api.cuStreamEndCapture == nullptr || api.cuGraphLaunch == nullptr ||
      api.cuGraphGetNodes == nullptr ||
      (api.cuGraphInstantiate_v2 == nullptr && api.cuGraphInstantiateWithFlags == nullptr)) {
    return std::nullopt;
  }
  CudaGraph graph(context);
  if (api.cuStreamBeginCapture_v2(context.stream(), cuda::kCaptureThreadLocal) != cuda::kSuccess) return std::nullopt;
  // Always ended: a stream left in capture mode would fail every later operation.
  const auto end = [&] { return api.cuStreamEndCapture(context.stream(), &graph.graph_) == cuda::kSuccess; };
  bool recorded = true;
  try {
    enqueue();
  } catch (const Error&) {
    recorded = false;
  } catch (...) {
    (void)end();
    throw;
  }
  recorded = end() && recorded;
  if (!recorded || graph.node_count() < operations || !graph.instantiate()) return std::nullopt;
  return graph;
}

CudaGraph::CudaGraph(CudaGraph&& other) noexcept
    : context_(other.context_),
      graph_(std::exchange(other.graph_, nullptr)),
      exec_(std::exchange(other.exec_, nullptr)) {}

CudaGraph& CudaGraph::operator=(CudaGraph&& other) noexcept {
  std::swap(context_, other.context_);
  std::swap(graph_, other.graph_);
  std::swap(exec_, other.exec_);
  return *this;
}

CudaGraph::~CudaGraph() {
  const cuda::Api& api = context_->api();
  if (exec_ != nullptr && api.cuGraphExecDestroy != nullptr) (void)api.cuGraphExecDestroy(exec_);
  if (graph_ != nullptr && api.cuGraphDestroy != nullptr) (void)api.cuGraphDestroy(graph_);
}

std::int64_t CudaGraph::node_count() const {
  std::size_t count = 0;
  const bool answered = graph_ != nullptr && context_->api().cuGraphGetNodes(graph_, nullptr, &count) == cuda::kSuccess;
  return answered ? static_cast<std::int64_t>(count) : -1;
}

bool CudaGraph::instantiate() {
  const cuda::Api& api = context_->api();
  if (api.cuGraphInstantiateWithFlags != nullptr) {
    return api.cuGraphInstantiateWithFlags(&exec_, graph_, 0) == cuda::kSuccess;
  }
  return api.cuGraphInstantiate_v2(&exec_, graph_, nullptr, nullptr, 0) == cuda::kSuccess;
}

void CudaGraph::launch() const {
  cuda::check(context_->api(), context_->api().cuGraphLaunch(exec_, context_->stream()), "cuGraphLaunch");
}

}  // namespace gpuassay
