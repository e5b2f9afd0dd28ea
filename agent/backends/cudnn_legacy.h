// Which of cuDNN's legacy algorithms compute a convolution within the workspace?
#pragma once

#include <vector>

#include "agent/backends/cudnn_conv.h"
#include "agent/backends/cudnn_session.h"

namespace gpuassay {

struct LegacyConvCandidates {
  std::vector<CudnnConvCandidate> candidates;  ///< the best expected first
  int status = cudnn::kSuccess;                ///< what cuDNN answered: a format may be impossible
};

/// At most `most` algorithms that keep the dtype's precision. `problem` must outlive them.
LegacyConvCandidates legacy_conv_candidates(const CudnnSession& session, const CudnnConvProblem& problem,
                                            std::size_t most);

}  // namespace gpuassay
