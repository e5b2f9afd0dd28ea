// Which engines of cuDNN's backend ("graph") API compute a convolution within the workspace? They have tiles and splits
// of the sum that the legacy algorithms lack.
#pragma once

#include <vector>

#include "agent/backends/cudnn_conv.h"
#include "agent/backends/cudnn_session.h"

namespace gpuassay {

/// Ready to run, the best expected first, each engine configuration once: at most `most` of the quick heuristic and
/// half as many others of the slower one. Empty where the library has no such API or refuses: whatever goes wrong here
/// must not cost a case that the legacy calls can do. `problem` must outlive the candidates.
std::vector<CudnnConvCandidate> graph_conv_candidates(const CudnnSession& session, const CudnnConvProblem& problem,
                                                      std::size_t most);

}  // namespace gpuassay
