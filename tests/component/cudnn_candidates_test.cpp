// What does the agent find in cuDNN, in the backend API and in the legacy calls, and which of it runs? On fakes of
// several versions and GPUs.
#include <gtest/gtest.h>

#include <algorithm>

#include "agent/backends/cuda_backend.h"
#include "agent/backends/cuda_conv_types.h"
#include "agent/backends/cudnn_graph.h"
#include "agent/backends/cudnn_legacy.h"
#include "agent/workloads/conv_reference.h"
#include "core/enums.h"
#include "tests/support/fake_gpu_session.h"

namespace gpuassay {
namespace {

using test::FakeGpuSession;
using test::FakeSetup;

const FakeSetup kA100{.gpus = "A100-SXM4-40GB"};
const FakeSetup kK80{.gpus = "K80 (one GK210)", .driver = "470.256.02", .cudnn = "8.5.0"};

/// Large enough that the engines' speeds show through the noise.
ConvParams layer(DType dtype, ConvDirection direction = ConvDirection::forward) {
  return {dtype, direction, 32, 256, 14, 14, 256, 3, 3, 1, 1};
}

/// A session and one problem in NCHW.
class Found {
 public:
  Found(const FakeSetup& setup, const std::string& soname, const ConvParams& params)
      : driver_(test::load_fake_driver(setup)),
        context_(FakeGpuSession::candidate(cuda::kSoname), 0),
        session(context_, FakeGpuSession::candidate(soname), {}) {
    const CudaConvTypes types = cuda_conv_types(params.dtype, context_.facts().compute_capability);
    const ConvSizes sizes = conv_sizes(params);
    for (const std::int64_t size : {sizes.source, sizes.weights, sizes.destination}) {
      buffers_.push_back(context_.allocate(storage_bytes(types.element, size)));
    }
    problem = {params,
               context_.facts().compute_capability,
               cudnn::kNchw,
               types.data_type,
               types.math_type,
               buffers_[0].pointer(),
               buffers_[1].pointer(),
               buffers_[2].pointer()};
  }

 private:
  cuda::LoadedLibrary driver_;
  CudaContext context_;
  std::vector<DeviceBuffer> buffers_;

 public:
  CudnnSession session;
  CudnnConvProblem problem;
};

constexpr std::size_t kMost = 10;

std::vector<std::string> names(const std::vector<CudnnConvCandidate>& candidates) {
  std::vector<std::string> all;
  for (const CudnnConvCandidate& candidate : candidates) {
    EXPECT_EQ(candidate.queue(), cudnn::kSuccess) << candidate.name;
    all.push_back(candidate.name);
  }
  return all;
}

using Names = std::vector<std::string>;

TEST(CudnnGraph, EnginesAreThoseThatComputeWhatIsAsked) {
  // Left out: compiled at run time, impossible, hungry, careless. The last one is of the list of what always works.
  const Names on_tensor_cores{"engine 6 knobs 2=9,12=1", "engine 28 knobs 2=5", "engine 6 knobs 2=13,12=2",
                              "engine 28 knobs 2=0"};
  for (const DType dtype : {DType::fp16, DType::bf16}) {
    Found found(kA100, "libcudnn.so.9", layer(dtype));
    EXPECT_EQ(names(graph_conv_candidates(found.session, found.problem, kMost)), on_tensor_cores);
  }
  Found tf32(kA100, "libcudnn.so.9", layer(DType::tf32));
  EXPECT_EQ(
      names(graph_conv_candidates(tf32.session, tf32.problem, kMost)),
      (Names{"engine 6 knobs 2=9,12=1", "engine 28 knobs 2=5", "engine 6 knobs 2=13,12=2", "engine 29 knobs 2=4"}));
}

TEST(CudnnGraph, Fp32StaysOffTheTensorCoresAndKnowsItsWinograd) {
  Found found(kA100, "libcudnn.so.9", layer(DType::fp32));
  const auto candidates = graph_conv_candidates(found.session, found.problem, kMost);
  // The last one from the list of what always works, as there are so few.
  EXPECT_EQ(names(candidates), (Names{"engine 28 knobs 2=5", "engine 29 knobs 2=4", "engine 28 knobs 2=0"}));
  EXPECT_EQ(conv_algorithm_name(ConvDirection::forward, candidates.at(0).algo), "implicit_precomp_gemm");
  EXPECT_EQ(conv_algorithm_name(ConvDirection::forward, candidates.at(1).algo), "winograd_nonfused");
}

TEST(CudnnGraph, NoMoreThanWanted) {
  Found found(kA100, "libcudnn.so.9", layer(DType::tf32));
  EXPECT_EQ(names(graph_conv_candidates(found.session, found.problem, 2)),
            (Names{"engine 6 knobs 2=9,12=1", "engine 28 knobs 2=5"}));
}

TEST(CudnnGraph, AnOlderCudnnIsAskedInItsOwnMode) {
  Found found({.gpus = "V100-SXM2-16GB", .cudnn = "8.2.0"}, "libcudnn.so.8", layer(DType::fp16));
  const Names got = names(graph_conv_candidates(found.session, found.problem, kMost));
  EXPECT_NE(std::find(got.begin(), got.end(), "engine 6 knobs 2=9,12=1"), got.end());
}

TEST(CudnnGraph, WithoutEnginesOrFunctionsThereAreNone) {
  Found kepler(kK80, "libcudnn.so.8", layer(DType::fp32));
  EXPECT_TRUE(cudnn::has_backend(kepler.session.library.api));
  EXPECT_TRUE(graph_conv_candidates(kepler.session, kepler.problem, kMost).empty());
  Found found(kA100, "libcudnn.so.9", layer(DType::fp16));
  found.session.library.api.cudnnBackendFinalize = nullptr;
  EXPECT_TRUE(graph_conv_candidates(found.session, found.problem, kMost).empty());
}

TEST(CudnnLegacy, EverythingThatRunsIsACandidateTheBestExpectedFirst) {
  Found found(kK80, "libcudnn.so.8", layer(DType::fp32));
  const Names all = names(legacy_conv_candidates(found.session, found.problem, SIZE_MAX).candidates);
  EXPECT_GT(all.size(), 5U);
  EXPECT_EQ(all.front(), "winograd");
  EXPECT_EQ(names(legacy_conv_candidates(found.session, found.problem, 2).candidates), (Names{all[0], all[1]}));
  // Without the ranking, the search says the same.
  found.session.library.api.cudnnGetConvolutionForwardAlgorithm_v7 = nullptr;
  EXPECT_EQ(names(legacy_conv_candidates(found.session, found.problem, SIZE_MAX).candidates), all);
}

TEST(CudnnLegacy, AFormatThatIsImpossibleIsAnAnswer) {
  Found found({.gpus = "A100-SXM4-40GB", .faults = "unsupported::conv"}, "libcudnn.so.9", layer(DType::fp16));
  const LegacyConvCandidates legacy = legacy_conv_candidates(found.session, found.problem, SIZE_MAX);
  EXPECT_TRUE(legacy.candidates.empty());
  EXPECT_EQ(cudnn::classify(legacy.status), cudnn::StatusKind::unsupported);
  EXPECT_TRUE(graph_conv_candidates(found.session, found.problem, kMost).empty());
}

std::unique_ptr<Operation> prepared(const FakeSetup& setup, const std::string& soname, const ConvParams& params) {
  const cuda::LoadedLibrary driver = test::load_fake_driver(setup);
  CudaSelection selection;
  selection.driver = FakeGpuSession::candidate(cuda::kSoname);
  selection.cudnn = FakeGpuSession::candidate(soname);
  return make_cuda_backend(selection)->prepare(params);
}

TEST(CudnnConv, TheFastestOfBothSourcesIsRecordedAndRight) {
  for (const ConvDirection direction :
       {ConvDirection::forward, ConvDirection::backward_data, ConvDirection::backward_weights}) {
    const auto engine = prepared(kA100, "libcudnn.so.9", layer(DType::fp16, direction));
    EXPECT_EQ(engine->algorithm(), "cudnn engine 6 knobs 2=13,12=2 NHWC");
    (void)engine->run_timed_ns(1);
    EXPECT_TRUE(engine->verify().passed) << to_name(direction);
    const auto legacy = prepared(kK80, "libcudnn.so.8", layer(DType::fp32, direction));
    EXPECT_EQ(legacy->algorithm().find("engine"), std::string::npos) << legacy->algorithm();
    (void)legacy->run_timed_ns(1);
    EXPECT_TRUE(legacy->verify().passed) << to_name(direction);
  }
}

TEST(CudnnConv, AWrongEngineIsSeen) {
  const auto operation =
      prepared({.gpus = "A100-SXM4-40GB", .faults = "wrong::conv"}, "libcudnn.so.9", layer(DType::bf16));
  EXPECT_TRUE(operation->algorithm().starts_with("cudnn engine")) << operation->algorithm();
  (void)operation->run_timed_ns(1);
  EXPECT_FALSE(operation->verify().passed);
}

}  // namespace
}  // namespace gpuassay
