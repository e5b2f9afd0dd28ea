// Which engines of cuDNN may compute a convolution, and how exact are they?
#include "agent/backends/cudnn_engine.h"

#include <gtest/gtest.h>

#include "agent/backends/cuda_conv_types.h"

namespace gpuassay {
namespace {

TEST(CudnnEngine, Fp32IsNotComputedOnTensorCores) {
  const CudnnEngine engine{"engine 6", {cudnn::kNoteTensorCore, cudnn::kNoteNonDeterministic}, {}};
  EXPECT_FALSE(engine_is_suitable(DType::fp32, engine));
  for (const DType dtype : {DType::tf32, DType::fp16, DType::bf16}) EXPECT_TRUE(engine_is_suitable(dtype, engine));
  EXPECT_TRUE(engine_is_suitable(DType::fp32, {"engine 0", {}, {}}));
}

TEST(CudnnEngine, ShortcutsAndLateCompilationAreLeftOut) {
  for (const DType dtype : {DType::fp32, DType::tf32, DType::fp16, DType::bf16}) {
    EXPECT_FALSE(engine_is_suitable(dtype, {"", {cudnn::kNoteDownConvertInputs}, {}}));
    EXPECT_FALSE(engine_is_suitable(dtype, {"", {cudnn::kNoteReducedPrecisionReduction}, {}}));
    EXPECT_FALSE(engine_is_suitable(dtype, {"", {}, {cudnn::kNoteRuntimeCompilation}}));
    EXPECT_FALSE(engine_is_suitable(dtype, {"", {}, {cudnn::kNoteFilterReorder}}));
    // A note of a version to come.
    EXPECT_TRUE(engine_is_suitable(dtype, {"", {}, {99}}));
  }
}

TEST(CudnnEngine, TransformsHaveTheToleranceOfTheirAlgorithm) {
  for (const ConvDirection direction :
       {ConvDirection::forward, ConvDirection::backward_data, ConvDirection::backward_weights}) {
    const auto name = [&](std::vector<int> notes) {
      return conv_algorithm_name(direction, algorithm_as_exact(direction, {"", std::move(notes), {}}));
    };
    EXPECT_EQ(name({cudnn::kNoteWinogradTile6x6}), "winograd_nonfused");
    EXPECT_EQ(name({cudnn::kNoteTensorCore, cudnn::kNoteWinograd}), "winograd_nonfused");
    EXPECT_EQ(name({cudnn::kNoteFft}), "fft");
    EXPECT_EQ(name({cudnn::kNoteTensorCore}), direction == ConvDirection::forward ? "implicit_precomp_gemm" : "algo_1");
  }
}

}  // namespace
}  // namespace gpuassay
