// Does the fake cuDNN convolve, in every direction and layout, and refuse what a real one refuses?
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <tuple>

#include "agent/dynlib/cudnn.h"
#include "kernels/random_normal.h"
#include "tests/support/fake_gpu_session.h"

namespace gpuassay {
namespace {

using kernels::ElementFormat;
using test::FakeGpuSession;
using test::FakeSetup;

enum class Direction { forward, backward_data, backward_filter };

// A small problem in which nothing is equal by accident: two images, stride 2 in height only.
constexpr int kImages = 2, kC = 3, kH = 6, kW = 5, kFilters = 4, kR = 3, kS = 2, kPadH = 1, kPadW = 1, kStrideH = 2,
              kStrideW = 1;
constexpr int kP = (kH + 2 * kPadH - kR) / kStrideH + 1, kQ = (kW + 2 * kPadW - kS) / kStrideW + 1;
constexpr std::uint64_t kXCount = std::uint64_t{kImages} * kC * kH * kW,
                        kWCount = std::uint64_t{kFilters} * kC * kR * kS,
                        kYCount = std::uint64_t{kImages} * kFilters * kP * kQ;
constexpr std::uint64_t kSeedX = 21, kSeedW = 22, kSeedY = 23;

void* pointer(cuda::DevicePointer address) { return reinterpret_cast<void*>(address); }

/// Index into n c h w or n h w c.
std::uint64_t at(bool nhwc, int c_size, int h_size, int w_size, int n, int c, int h, int w) {
  const int index = nhwc ? ((n * h_size + h) * w_size + w) * c_size + c : ((n * c_size + c) * h_size + h) * w_size + w;
  return static_cast<std::uint64_t>(index);
}

/// The problem's descriptors and tensors.
class Problem {
 public:
  Problem(const FakeGpuSession& gpu, const std::string& soname, int data_type, ElementFormat format, bool nhwc)
      : x(gpu.filled(format, kSeedX, kXCount)),
        w(gpu.filled(format, kSeedW, kWCount)),
        y(gpu.filled(format, kSeedY, kYCount)),
        workspace(gpu.allocate(kWorkspaceBytes)),
        nhwc_(nhwc),
        format_(format),
        library_(cudnn::load(FakeGpuSession::candidate(soname))) {
    const int layout = nhwc ? cudnn::kNhwc : cudnn::kNchw;
    check(api().cudnnCreate(&handle));
    check(api().cudnnSetStream(handle, gpu.stream()));
    check(api().cudnnCreateTensorDescriptor(&x_desc));
    check(api().cudnnCreateTensorDescriptor(&y_desc));
    check(api().cudnnCreateFilterDescriptor(&w_desc));
    check(api().cudnnCreateConvolutionDescriptor(&how));
    check(api().cudnnSetTensor4dDescriptor(x_desc, layout, data_type, kImages, kC, kH, kW));
    check(api().cudnnSetTensor4dDescriptor(y_desc, layout, data_type, kImages, kFilters, kP, kQ));
    check(api().cudnnSetFilter4dDescriptor(w_desc, data_type, layout, kFilters, kC, kR, kS));
    check(api().cudnnSetConvolution2dDescriptor(how, kPadH, kPadW, kStrideH, kStrideW, 1, 1, cudnn::kCrossCorrelation,
                                                cudnn::kFloat));
  }

  static constexpr std::size_t kWorkspaceBytes = std::size_t{4} << 20;

  [[nodiscard]] const cudnn::Api& api() const { return library_.api; }
  void check(int status) const { cudnn::check(library_.api, status, "cudnn"); }

  [[nodiscard]] int run(Direction direction, int algo) const {
    const float one = 1;
    const float zero = 0;
    void* space = pointer(workspace);
    switch (direction) {
      case Direction::forward:
        return api().cudnnConvolutionForward(handle, &one, x_desc, pointer(x), w_desc, pointer(w), how, algo, space,
                                             kWorkspaceBytes, &zero, y_desc, pointer(y));
      case Direction::backward_data:
        return api().cudnnConvolutionBackwardData(handle, &one, w_desc, pointer(w), y_desc, pointer(y), how, algo,
                                                  space, kWorkspaceBytes, &zero, x_desc, pointer(x));
      case Direction::backward_filter:
        return api().cudnnConvolutionBackwardFilter(handle, &one, x_desc, pointer(x), y_desc, pointer(y), how, algo,
                                                    space, kWorkspaceBytes, &zero, w_desc, pointer(w));
    }
    return -1;
  }

  /// The result by its definition: every pair of input and output elements that a filter element joins.
  [[nodiscard]] std::vector<double> expected(Direction direction) const {
    std::vector<double> result(direction == Direction::forward         ? kYCount
                               : direction == Direction::backward_data ? kXCount
                                                                       : kWCount);
    const auto value = [&](std::uint64_t seed, std::uint64_t index) {
      return kernels::element_value(format_, seed, index);
    };
    for_each_term([&](std::uint64_t ix, std::uint64_t iw, std::uint64_t iy) {
      if (direction == Direction::forward) result[iy] += value(kSeedX, ix) * value(kSeedW, iw);
      if (direction == Direction::backward_data) result[ix] += value(kSeedY, iy) * value(kSeedW, iw);
      if (direction == Direction::backward_filter) result[iw] += value(kSeedX, ix) * value(kSeedY, iy);
    });
    return result;
  }

  cudnn::Handle handle = nullptr;
  cudnn::Tensor x_desc = nullptr, y_desc = nullptr;
  cudnn::Filter w_desc = nullptr;
  cudnn::Convolution how = nullptr;
  cuda::DevicePointer x, w, y, workspace;

 private:
  template <class Term>
  void for_each_term(Term term) const {
    for (int n = 0; n < kImages; ++n) {
      for (int i = 0; i < kFilters * kC * kR * kS; ++i) {
        const int k = i / (kC * kR * kS);
        const int c = i / (kR * kS) % kC;
        const int r = i / kS % kR;
        const int s = i % kS;
        for (int p = 0; p < kP; ++p) {
          for (int q = 0; q < kQ; ++q) {
            const int h = p * kStrideH - kPadH + r;
            const int v = q * kStrideW - kPadW + s;
            if (h < 0 || v < 0 || h >= kH || v >= kW) continue;
            term(at(nhwc_, kC, kH, kW, n, c, h, v), at(nhwc_, kC, kR, kS, k, c, r, s),
                 at(nhwc_, kFilters, kP, kQ, n, k, p, q));
          }
        }
      }
    }
  }

  bool nhwc_;
  ElementFormat format_;
  cudnn::LoadedLibrary library_;
};

/// direction, NHWC, soname
class Convolutions : public ::testing::TestWithParam<std::tuple<Direction, bool, const char*>> {};

TEST_P(Convolutions, MatchTheirDefinition) {
  const auto [direction, nhwc, soname] = GetParam();
  const FakeGpuSession gpu(FakeSetup{});
  const Problem problem(gpu, soname, cudnn::kHalf, ElementFormat::fp16, nhwc);
  const std::vector<double> expected = problem.expected(direction);
  ASSERT_EQ(problem.run(direction, 1), 0);
  const cuda::DevicePointer result = direction == Direction::forward         ? problem.y
                                     : direction == Direction::backward_data ? problem.x
                                                                             : problem.w;
  const auto got = gpu.values(result, ElementFormat::fp16, expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(got[i], expected[i], 0.02) << i;
}

INSTANTIATE_TEST_SUITE_P(All, Convolutions,
                         ::testing::Combine(::testing::Values(Direction::forward, Direction::backward_data,
                                                              Direction::backward_filter),
                                            ::testing::Bool(), ::testing::Values("libcudnn.so.8", "libcudnn.so.9")));

TEST(FakeCudnn, SearchGivesTheFastestFirstWithinTheWorkspace) {
  const FakeGpuSession gpu(FakeSetup{});
  const Problem problem(gpu, "libcudnn.so.9", cudnn::kFloat, ElementFormat::fp32, false);
  std::array<cudnn::AlgoPerf, cudnn::kForwardAlgos> results{};
  int returned = 0;
  problem.check(problem.api().cudnnFindConvolutionForwardAlgorithmEx(
      problem.handle, problem.x_desc, pointer(problem.x), problem.w_desc, pointer(problem.w), problem.how,
      problem.y_desc, pointer(problem.y), static_cast<int>(results.size()), &returned, results.data(),
      pointer(problem.workspace), Problem::kWorkspaceBytes));
  ASSERT_EQ(returned, cudnn::kForwardAlgos);
  EXPECT_EQ(results[0].status, 0);
  EXPECT_LE(results[0].workspace_bytes, Problem::kWorkspaceBytes);
  EXPECT_GT(results[0].milliseconds, 0);
  // Winograd and FFT want stride 1.
  EXPECT_EQ(cudnn::classify(results.back().status), cudnn::StatusKind::unsupported);
  EXPECT_EQ(cudnn::classify(problem.run(Direction::forward, 6)), cudnn::StatusKind::unsupported);
}

TEST(FakeCudnn, RefusesTypesAndGpusThatItHasNothingFor) {
  {
    const FakeGpuSession gpu(FakeSetup{.gpus = "T4", .driver = "550.54.15"});
    const Problem problem(gpu, "libcudnn.so.8", cudnn::kBfloat16, ElementFormat::bf16, true);
    EXPECT_EQ(problem.run(Direction::forward, 1), 9);
  }
  const FakeGpuSession gpu(FakeSetup{.gpus = "P100-PCIE-16GB", .driver = "580.65.06", .cudnn = "9.13.0"});
  const Problem problem(gpu, "libcudnn.so.9", cudnn::kFloat, ElementFormat::fp32, false);
  EXPECT_EQ(problem.run(Direction::forward, 1), 3007);
  EXPECT_EQ(problem.api().cudnnGetVersion(), 91300U);
}

TEST(FakeCudnn, ChecksShapesAndWorkspace) {
  const FakeGpuSession gpu(FakeSetup{});
  const Problem problem(gpu, "libcudnn.so.8", cudnn::kFloat, ElementFormat::fp32, false);
  const float one = 1;
  const float zero = 0;
  EXPECT_EQ(problem.api().cudnnConvolutionForward(problem.handle, &one, problem.x_desc, pointer(problem.x),
                                                  problem.w_desc, pointer(problem.w), problem.how, 1, nullptr, 0, &zero,
                                                  problem.y_desc, pointer(problem.y)),
            3);
  problem.check(problem.api().cudnnSetTensor4dDescriptor(problem.y_desc, cudnn::kNchw, cudnn::kFloat, kImages, kFilters,
                                                         kP, kQ + 1));
  EXPECT_EQ(problem.run(Direction::forward, 1), 3);
}

}  // namespace
}  // namespace gpuassay
