// A verified run on fake GPUs: whole steps are bit for bit those of plain integers in every dtype, and what goes wrong
// on a device is told in one line. What real GPUs do is not known from this.
#include "agent/floor/cuda_floor_device.h"

#include <gtest/gtest.h>

#include "agent/floor/floor_chain.h"
#include "agent/floor/floor_team.h"
#include "core/enums.h"
#include "core/error.h"
#include "core/floor/check.h"
#include "tests/support/fake_gpu_session.h"
#include "tests/support/reference_floor_device.h"

namespace gpuassay {
namespace {

using std::chrono::milliseconds;
using test::FakeGpuSession;
using test::FakeSetup;
constexpr milliseconds kPatience{60'000};

/// Device `ordinal` of a machine set up anew.
CudaSelection selection_on(const FakeSetup& setup, bool with_lt = true, int ordinal = 0) {
  (void)test::load_fake_driver(setup);
  CudaSelection selection;
  selection.ordinal = ordinal;
  selection.driver = FakeGpuSession::candidate(cuda::kSoname);
  const bool is_kepler = setup.gpus.starts_with("K80");
  selection.cublas = FakeGpuSession::candidate(is_kepler ? "libcublas.so.11" : "libcublas.so.12");
  if (with_lt) selection.cublaslt = FakeGpuSession::candidate("libcublasLt.so.12");
  return selection;
}

FloorSeed some_seed() {
  FloorSeed seed{};
  seed[5] = 99;
  return seed;
}

struct OnGpu {
  const char* gpu;
  DType dtype;
  bool with_lt;
};

class CudaFloorDeviceTest : public testing::TestWithParam<OnGpu> {};

TEST_P(CudaFloorDeviceTest, GivesTheVeryDigestsAndPathsOfPlainIntegers) {
  const FloorWork work{2, GetParam().dtype, {256, 512, 1'024, 15}};
  const auto device = make_cuda_floor_device(selection_on({.gpus = GetParam().gpu}, GetParam().with_lt), work);
  test::ReferenceFloorDevice reference(work);
  EXPECT_EQ(device->shape(), work.shape);
  device->begin(some_seed());
  reference.begin(some_seed());
  std::vector<Digest> digests{Digest{}};
  for (std::uint32_t step = 0; step < 2; ++step) {
    digests.push_back(device->run_step(step, digests.back()));
    ASSERT_EQ(digests.back(), reference.run_step(step, digests[step])) << "step " << step;
  }
  // The last one is still there, the first is computed anew, and so is the last one then.
  for (const std::uint32_t step : {1U, 0U, 0U, 1U}) {
    for (const std::int64_t tile : {0, 77, 511})
      EXPECT_EQ(device->tile_path(step, digests[step], tile), reference.tile_path(step, digests[step], tile))
          << "step " << step << " tile " << tile;
  }
}

// Kepler has cuBLAS's old calls alone, and Volta's int8 is cuBLAS's alone.
INSTANTIATE_TEST_SUITE_P(EveryDtype, CudaFloorDeviceTest,
                         testing::Values(OnGpu{"K80 (board)", DType::fp32, false}, OnGpu{"T4", DType::fp32, true},
                                         OnGpu{"T4", DType::fp16, true}, OnGpu{"T4", DType::fp16, false},
                                         OnGpu{"T4", DType::int8, true}, OnGpu{"V100-SXM2-16GB", DType::int8, true},
                                         OnGpu{"A100-SXM4-80GB", DType::tf32, true},
                                         OnGpu{"A100-SXM4-80GB", DType::bf16, true},
                                         OnGpu{"A100-SXM4-80GB", DType::tf32, false}),
                         [](const auto& test) {
                           return std::string(test.param.gpu).substr(0, 2) + "_" +
                                  std::string(to_name(test.param.dtype)) + (test.param.with_lt ? "" : "_without_lt");
                         });

/// The error's text of making the device; empty when there is none.
std::string refusal(const FakeSetup& setup, const FloorWork& work) {
  try {
    (void)make_cuda_floor_device(selection_on(setup), work);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(CudaFloorDevice, SaysInOneLineWhatItCannotDo) {
  EXPECT_EQ(refusal({}, {0, DType::fp8_e4m3, test::kSmallShape}), "a GPU does no verified run in fp8_e4m3");
  // Volta has no bf16, in either library.
  EXPECT_NE(refusal({}, {0, DType::bf16, test::kSmallShape}).find("no bf16 matrix product for a verified run"),
            std::string::npos);
  const std::string too_large = refusal({.faults = "oom:0:64"}, {0, DType::fp32, {4'096, 4'096, 8'192, 15}});
  EXPECT_FALSE(too_large.empty());
  EXPECT_EQ(too_large.find('\n'), std::string::npos);
}

TEST(CudaFloorDevice, MeasuresItselfAndFindsAShape) {
  const FloorWork work{0, DType::fp32, {}};
  const auto device = make_measured_cuda_floor_device(selection_on({.gpus = "T4"}), work, 1);
  EXPECT_EQ(shape_problem(device->shape()), std::nullopt);
  // The limit for imitated devices: a larger step takes this CPU seconds.
  EXPECT_LE(floor_flop(device->shape()), 0x1p28);
}

FloorMember member(const FakeSetup& setup, int device) {
  const FloorWork work{device, DType::fp32, {}};
  return {work, [setup, work, device] {
            // Set up in the device's own process, as the fake driver is one machine to a process.
            return make_measured_cuda_floor_device(selection_on(setup, true, device), work, 2);
          }};
}

FloorChallenge challenge(double seconds) {
  FloorChallenge asked;
  asked.id = std::string(32, 'b');
  asked.seed = some_seed();
  asked.seconds = seconds;
  return asked;
}

TEST(CudaFloorTeam, TwoDevicesWorkAndOpenWhatIsDrawn) {
  const FakeSetup setup{.gpus = "V100-SXM2-16GB*2"};
  FloorTeam team({member(setup, 0), member(setup, 1)});
  const std::vector<FloorWork> works = team.get_ready(kPatience);
  ASSERT_EQ(works.size(), 2U);
  const FloorCommitment commitment = team.work(challenge(0.5));
  ASSERT_EQ(commitment.devices.size(), 2U);
  std::vector<FloorDraw> draws;
  for (std::uint32_t i = 0; i < 8; ++i) {
    const FloorCommitment::OfDevice& of = commitment.devices[i % 2];
    draws.push_back({of.device, (i * 5) % of.steps, (std::int64_t{i} * 37) % floor_tiles(works[i % 2].shape)});
  }
  const FloorOpenings openings = team.open(draws, kPatience);
  ASSERT_EQ(openings.size(), draws.size());
  for (std::size_t i = 0; i < draws.size(); ++i)
    EXPECT_EQ(opening_problem(some_seed(), works[i % 2].shape, commitment.devices[i % 2], draws[i], openings[i]),
              std::nullopt)
        << i;
}

/// What a team says of two devices, of which the second has that fault.
std::string problem_of(const std::string& faults, milliseconds limit = kPatience) {
  const FakeSetup setup{.gpus = "V100-SXM2-16GB*2", .faults = faults};
  try {
    FloorTeam team({member(setup, 0), member(setup, 1)});
    (void)team.get_ready(limit);
    (void)team.work(challenge(0.1));
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

TEST(CudaFloorTeam, AFaultOfOneDeviceIsToldInOneLine) {
  const std::string wrong = problem_of("wrong:1");
  EXPECT_TRUE(wrong.starts_with("device 1: its own check of the work failed")) << wrong;
  const std::string nan = problem_of("nan:1");
  EXPECT_TRUE(nan.starts_with("device 1: its own check of the work failed")) << nan;
  const std::string hashes = problem_of("wrong:1:floor");
  EXPECT_TRUE(hashes.starts_with("device 1: its own check of the work failed")) << hashes;
  const std::string lost = problem_of("lost:1:50");
  EXPECT_TRUE(lost.starts_with("device 1: ")) << lost;
  EXPECT_EQ(lost.find('\n'), std::string::npos);
  EXPECT_EQ(problem_of("hang:1:floor", milliseconds(6'000)), "device 1: no answer within 6 s");
  const std::string crash = problem_of("crash:1:floor");
  EXPECT_TRUE(crash.starts_with("device 1: its process was ")) << crash;
}

}  // namespace
}  // namespace gpuassay
