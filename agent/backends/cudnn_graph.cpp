#include "agent/backends/cudnn_graph.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "agent/backends/cudnn_engine.h"
#include "agent/backends/cudnn_operation_graph.h"
#include "core/error.h"

namespace gpuassay {
namespace {

/// With fewer than that, the list of what always works is asked too.
constexpr std::size_t kFew = 4;
/// Most lists are shorter; many of their entries may be unsuitable.
constexpr std::int64_t kMostListed = 64;

/// What a plan needs while it lives.
struct ReadyPlan {
  std::shared_ptr<const CudnnOperationGraph> graph;
  cudnn::BackendObject config, plan;
};

class EngineSearch {
 public:
  EngineSearch(const CudnnSession& session, const CudnnConvProblem& problem)
      : problem_(problem),
        workspace_bytes_(session.workspace.size_bytes()),
        graph_(std::make_shared<const CudnnOperationGraph>(session, problem)) {}

  [[nodiscard]] std::size_t found() const { return candidates_.size(); }
  [[nodiscard]] std::vector<CudnnConvCandidate> take() { return std::move(candidates_); }

  /// Adds at most `most` of what the heuristic names.
  void add(cudnn::HeuristicModeValue mode, std::size_t most) {
    const std::size_t limit = found() + most;
    for (cudnn::BackendObject& config : listed(mode)) {
      if (found() == limit) return;
      add(std::move(config));
    }
  }

 private:
  /// A mode that this version lacks, or that knows nothing of this problem, names none.
  [[nodiscard]] std::vector<cudnn::BackendObject> listed(cudnn::HeuristicModeValue mode) const {
    try {
      return graph_->configs(mode, kMostListed);
    } catch (const Error&) {
      return {};
    }
  }

  /// The heuristics name configurations that turn out impossible: the next one may do.
  void add(cudnn::BackendObject config) {
    try {
      const CudnnEngine engine = describe_engine(config);
      if (!engine_is_suitable(problem_.params.dtype, engine) || knows(engine.name)) return;
      cudnn::BackendObject plan = graph_->plan(config);
      const std::int64_t needed_bytes = plan.int64(cudnn::kPlanWorkspaceSize);
      if (needed_bytes < 0 || static_cast<std::size_t>(needed_bytes) > workspace_bytes_) return;
      const auto ready = std::make_shared<const ReadyPlan>(ReadyPlan{graph_, std::move(config), std::move(plan)});
      candidates_.push_back({&problem_, algorithm_as_exact(problem_.params.direction, engine), engine.name,
                             [ready] { return ready->graph->run(ready->plan); }});
    } catch (const Error&) {
      return;
    }
  }

  [[nodiscard]] bool knows(const std::string& name) const {
    return std::any_of(candidates_.begin(), candidates_.end(),
                       [&](const CudnnConvCandidate& candidate) { return candidate.name == name; });
  }

  const CudnnConvProblem& problem_;
  std::size_t workspace_bytes_;
  std::shared_ptr<const CudnnOperationGraph> graph_;
  std::vector<CudnnConvCandidate> candidates_;
};

}  // namespace

std::vector<CudnnConvCandidate> graph_conv_candidates(const CudnnSession& session, const CudnnConvProblem& problem,
                                                      std::size_t most) {
  if (!cudnn::has_backend(session.library.api)) return {};
  try {
    EngineSearch search(session, problem);
    search.add(cudnn::kModeA, most);
    // Versions before mode A.
    if (search.found() == 0) search.add(cudnn::kModeInstant, most);
    if (search.found() < std::min(kFew, most)) search.add(cudnn::kModeFallback, kFew);
    return search.take();
  } catch (const Error&) {
    return {};
  }
}

}  // namespace gpuassay
