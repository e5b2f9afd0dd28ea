// What is an engine configuration of cuDNN's backend API, and may it compute this convolution? An engine is a family of
// kernels, its knobs choose one of them (tile, stages, split of the sum).
#pragma once

#include <string>
#include <vector>

#include "agent/backends/cudnn_descriptor.h"
#include "core/model.h"

namespace gpuassay {

struct CudnnEngine {
  std::string name;                  ///< "engine 4 knobs 2=1,5=3": its number, and value by knob type
  std::vector<int> numerical_notes;  ///< cudnn::NumericalNote
  std::vector<int> behavior_notes;   ///< cudnn::BehaviorNote
};

/// Throws what cuDNN answers; a version that tells no notes refuses.
CudnnEngine describe_engine(const cudnn::BackendObject& config);

/// Whether it sums in fp32, keeps fp32 operands as they are, takes weights in our order and is compiled already.
///
/// Engines that are compiled at run time cost seconds each, and what they are made for are fusions: a plain convolution
/// has precompiled engines and the legacy algorithms. PyTorch does not leave them out.
bool engine_is_suitable(DType dtype, const CudnnEngine& engine);

/// The legacy algorithm whose results are as exact: Winograd and FFT compute in a transformed space.
int algorithm_as_exact(ConvDirection direction, const CudnnEngine& engine);

}  // namespace gpuassay
