// Does the fake driver behave like one? Images, memory, streams and our kernels, through the agent's function table.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

#include "agent/backends/cuda_images.h"
#include "core/error.h"
#include "kernels/random_normal.h"
#include "tests/support/fake_gpu_session.h"

namespace gpuassay {
namespace {

using kernels::ElementFormat;
using test::FakeGpuSession;
using test::FakeSetup;

struct Pair {
  const char* gpu;
  const char* driver;
  int capability, cuda;
  ImageKind kind;  ///< of the first image the driver takes
  int architecture;
};

/// The GPUs that CI imitates, each with a driver it is met with; and two whose newer cubins the driver refuses.
class Images : public ::testing::TestWithParam<Pair> {};

TEST_P(Images, TheAgentsChoiceLoadsAtOnce) {
  const Pair& pair = GetParam();
  const FakeGpuSession gpu(FakeSetup{.gpus = pair.gpu, .driver = pair.driver});
  int version = 0;
  ASSERT_EQ(gpu.api().cuDriverGetVersion(&version), 0);
  EXPECT_EQ(version, pair.cuda);
  const auto images = images_to_try("base", pair.capability, version, embedded_images());
  ASSERT_FALSE(images.empty());
  cuda::Module module = nullptr;
  EXPECT_EQ(gpu.api().cuModuleLoadData(&module, unpacked(*images.front()).data()), 0) << describe(*images.front());
  // A build without ptxas is allowed and has PTX alone, whose loading was checked above.
  const bool has_cubins = images_to_try("base", 70, 13000, embedded_images()).front()->kind == ImageKind::cubin;
  if (!has_cubins) GTEST_SKIP() << "built without ptxas: no cubins to choose from";
  EXPECT_EQ(images.front()->kind, pair.kind);
  EXPECT_EQ(images.front()->architecture, pair.architecture);
}

TEST_P(Images, WhatTheAgentLeavesOutIsRefused) {
  const Pair& pair = GetParam();
  const FakeGpuSession gpu(FakeSetup{.gpus = pair.gpu, .driver = pair.driver});
  const auto chosen = images_to_try("base", pair.capability, pair.cuda, embedded_images());
  for (const CudaImage& image : embedded_images()) {
    if (image.module != "base" || std::find(chosen.begin(), chosen.end(), &image) != chosen.end()) continue;
    cuda::Module module = nullptr;
    const int status = gpu.api().cuModuleLoadData(&module, unpacked(image).data());
    EXPECT_TRUE(is_image_refusal(status)) << describe(image) << ": " << status;
  }
}

INSTANTIATE_TEST_SUITE_P(Seven, Images,
                         ::testing::Values(Pair{"K80 (board)", "470.256.02", 37, 11040, ImageKind::cubin, 35},
                                           Pair{"P100-PCIE-16GB", "535.129.03", 60, 12020, ImageKind::cubin, 60},
                                           Pair{"V100-SXM2-16GB", "535.129.03", 70, 12020, ImageKind::cubin, 70},
                                           Pair{"T4", "550.54.15", 75, 12040, ImageKind::cubin, 75},
                                           Pair{"A100-SXM4-80GB", "535.129.03", 80, 12020, ImageKind::cubin, 80},
                                           Pair{"H200-SXM", "570.86.15", 90, 12080, ImageKind::cubin, 90},
                                           Pair{"RTX 5090", "575.51.03", 120, 12090, ImageKind::ptx, 35},
                                           Pair{"RTX 5090", "580.65.06", 120, 13000, ImageKind::cubin, 120},
                                           Pair{"B200-SXM", "570.86.15", 100, 12080, ImageKind::ptx, 35}));

TEST(FakeDriver, PtxBeyondDriverOrGpuIsRefused) {
  const FakeGpuSession gpu(FakeSetup{.gpus = "T4", .driver = "550.54.15"});
  cuda::Module module = nullptr;
  EXPECT_EQ(gpu.api().cuModuleLoadData(&module, test::ptx_with_all_kernels("8.4", 75).c_str()), 0);
  EXPECT_EQ(gpu.api().cuModuleLoadData(&module, test::ptx_with_all_kernels("8.5", 75).c_str()), 222);
  EXPECT_EQ(gpu.api().cuModuleLoadData(&module, test::ptx_with_all_kernels("8.4", 80).c_str()), 218);
  EXPECT_EQ(gpu.api().cuModuleLoadData(&module, "rubbish"), 200);
  cuda::Function function = nullptr;
  ASSERT_EQ(gpu.api().cuModuleLoadData(&module, test::ptx_with_all_kernels("8.4", 75).c_str()), 0);
  EXPECT_EQ(gpu.api().cuModuleGetFunction(&function, module, "gpuassay_none"), cuda::kNotFound);
}

TEST(FakeDriver, TellsWhatTheProfileSays) {
  const FakeGpuSession gpu(FakeSetup{.gpus = "T4*2,K80 (board)", .driver = "470.256.02"});
  int count = 0;
  ASSERT_EQ(gpu.api().cuDeviceGetCount(&count), 0);
  EXPECT_EQ(count, 4);
  std::array<char, 64> name{};
  ASSERT_EQ(gpu.api().cuDeviceGetName(name.data(), name.size(), 3), 0);
  EXPECT_STREQ(name.data(), "Tesla K80");
  int value = 0;
  ASSERT_EQ(gpu.api().cuDeviceGetAttribute(&value, cuda::kMultiprocessorCount, 0), 0);
  EXPECT_EQ(value, 40);
  ASSERT_EQ(gpu.api().cuDeviceGetPCIBusId(name.data(), name.size(), 1), 0);
  EXPECT_STREQ(name.data(), "0000:11:00.0");
}

TEST(FakeDriver, MemoryHoldsWhatWasWrittenAndNothingElse) {
  const FakeGpuSession gpu(FakeSetup{});
  std::size_t before = 0;
  std::size_t total = 0;
  ASSERT_EQ(gpu.api().cuMemGetInfo_v2(&before, &total), 0);
  const cuda::DevicePointer memory = gpu.allocate(4096);
  std::size_t after = 0;
  ASSERT_EQ(gpu.api().cuMemGetInfo_v2(&after, &total), 0);
  EXPECT_EQ(before - after, 4096U);

  const std::array<std::byte, 4> text{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  gpu.upload(memory + 2, text);
  gpu.require(gpu.api().cuMemsetD8Async(memory + 4, 9, 1, gpu.stream()), "cuMemsetD8Async");
  const auto read = gpu.download(memory, 8);
  const std::array<unsigned, 8> expected{0xcd, 0xcd, 1, 2, 9, 4, 0xcd, 0xcd};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(static_cast<unsigned>(read[i]), expected[i]) << i;
  EXPECT_EQ(gpu.api().cuMemFree_v2(memory), 0);
  EXPECT_EQ(gpu.api().cuMemFree_v2(memory), cuda::kInvalidValue);
}

TEST(FakeDriver, LargeCopiesSeeWhatChanged) {
  const FakeGpuSession gpu(FakeSetup{});
  constexpr std::size_t kBytes = std::size_t{3} << 20;
  const cuda::DevicePointer memory = gpu.allocate(kBytes);
  std::vector<std::byte> host(kBytes, std::byte{5});
  gpu.upload(memory, host);
  std::fill(host.begin(), host.end(), std::byte{6});
  gpu.upload(memory, host);
  EXPECT_EQ(gpu.download(memory, kBytes), host);
  std::vector<std::byte> target(kBytes);
  for (int round = 0; round < 2; ++round) {
    std::fill(target.begin(), target.end(), std::byte{0xff});
    ASSERT_EQ(gpu.api().cuMemcpyDtoH_v2(target.data(), memory, kBytes), 0);
    EXPECT_EQ(target, host);
  }
}

TEST(FakeDriver, FillWritesTheSharedElements) {
  const FakeGpuSession gpu(FakeSetup{});
  for (const auto format : {ElementFormat::fp64, ElementFormat::fp32, ElementFormat::fp16, ElementFormat::bf16,
                            ElementFormat::e4m3, ElementFormat::int8}) {
    const auto values = gpu.values(gpu.filled(format, 7, 100), format, 100);
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], kernels::element_value(format, 7, i));
  }
  const auto pairs = gpu.download(gpu.filled(ElementFormat::e2m1, 7, 64), 32);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto expected = kernels::element_bits(ElementFormat::e2m1, 7, 2 * i) |
                          kernels::element_bits(ElementFormat::e2m1, 7, 2 * i + 1) << 4U;
    EXPECT_EQ(static_cast<std::uint64_t>(pairs[i]), expected);
  }
}

TEST(FakeDriver, StreamKernelsDoTheirArithmetic) {
  const FakeGpuSession gpu(FakeSetup{});
  constexpr std::size_t kCount = 64;
  const auto a = gpu.filled(ElementFormat::fp64, 1, kCount);
  const auto b = gpu.filled(ElementFormat::fp64, 2, kCount);
  const auto c = gpu.filled(ElementFormat::fp64, 3, kCount);
  const auto value = [](std::uint64_t seed, std::size_t i) { return kernels::normal_double(seed, i); };
  const kernels::StreamArguments arguments{a, b, c, kCount, 0.4};
  const auto run = [&](const char* name) { ASSERT_EQ(gpu.launch(name, 4, arguments), 0); };
  run(kernels::kStreamTriad);  // a = b + scalar * c
  run(kernels::kStreamCopy);   // c = a
  run(kernels::kStreamMul);    // b = scalar * c
  run(kernels::kStreamAdd);    // c = a + b
  const auto got_a = gpu.values(a, ElementFormat::fp64, kCount);
  const auto got_b = gpu.values(b, ElementFormat::fp64, kCount);
  const auto got_c = gpu.values(c, ElementFormat::fp64, kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    const double product = 0.4 * value(3, i);
    const double triad = value(2, i) + product;
    EXPECT_EQ(got_a[i], triad);
    EXPECT_EQ(got_b[i], 0.4 * triad);
    EXPECT_EQ(got_c[i], triad + 0.4 * triad);
  }
}

std::uint64_t word(const FakeGpuSession& gpu, cuda::DevicePointer at) {
  std::uint64_t result = 0;
  const auto bytes = gpu.download(at, 8);
  std::memcpy(&result, bytes.data(), 8);
  return result;
}

TEST(FakeDriver, ReadWriteAndGatherAddUpWords) {
  const FakeGpuSession gpu(FakeSetup{});
  constexpr std::size_t kTiles = 5;
  constexpr std::size_t kBytes = kTiles * kernels::kTileBytes;
  constexpr std::size_t kWords = kernels::kTileBytes / 8;
  const auto array = gpu.allocate(kBytes);
  const auto sums = gpu.allocate(64);
  ASSERT_EQ(gpu.launch(kernels::kWrite, 4, kernels::WriteArguments{array, kBytes, 1000}), 0);
  EXPECT_EQ(word(gpu, array + 24), 1003U);

  const auto tile = [](std::uint64_t number) {
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < kWords; ++i) sum += 1000 + number * kWords + i;
    return sum;
  };
  ASSERT_EQ(gpu.launch(kernels::kRead, 2, kernels::ReadArguments{array, kBytes, sums, 3, 0}), 0);
  // Three passes of two blocks: block 0 reads tiles 0 2 4, then 1 3 (a step further), then 1 3 (two further, mod 2).
  const std::uint64_t even = tile(0) + tile(2) + tile(4);
  const std::uint64_t odd = tile(1) + tile(3);
  EXPECT_EQ(word(gpu, sums), even + 2 * odd);
  EXPECT_EQ(word(gpu, sums + 8), odd + 2 * even);

  const std::array<std::uint32_t, 4> table{7, 0, 7, 2};
  const auto table_memory = gpu.allocate(sizeof(table));
  gpu.upload(table_memory, std::as_bytes(std::span(table)));
  ASSERT_EQ(gpu.launch(kernels::kGather, 1, kernels::GatherArguments{array, table_memory, sums, 4, 12, 0}), 0);
  std::uint64_t expected = 0;
  for (const std::uint64_t block : table) {
    for (std::uint64_t i = 0; i < 512; ++i) expected += 1000 + block * 512 + i;
  }
  EXPECT_EQ(word(gpu, sums), expected);
}

TEST(FakeDriver, SampleBringsElementsTogether) {
  const FakeGpuSession gpu(FakeSetup{});
  const auto source = gpu.filled(ElementFormat::fp16, 5, 1000);
  const std::array<std::uint64_t, 3> positions{999, 0, 500};
  const auto where = gpu.allocate(sizeof(positions));
  gpu.upload(where, std::as_bytes(std::span(positions)));
  const auto to = gpu.allocate(6);
  ASSERT_EQ(gpu.launch(kernels::kSample, 1, kernels::SampleArguments{source, where, to, 3, 2, 0}), 0);
  const auto values = gpu.values(to, ElementFormat::fp16, 3);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(values[i], kernels::element_value(ElementFormat::fp16, 5, positions[i]));
  }
}

TEST(FakeDriver, RunningOffAnEndStaysAnError) {
  const FakeGpuSession gpu(FakeSetup{});
  const auto array = gpu.allocate(4096);
  EXPECT_EQ(gpu.launch(kernels::kWrite, 1, kernels::WriteArguments{array, 8192, 0}), 0);
  EXPECT_EQ(gpu.api().cuStreamSynchronize(gpu.stream()), cuda::kIllegalAddress);
  cuda::DevicePointer other = 0;
  EXPECT_EQ(gpu.api().cuMemAlloc_v2(&other, 16), cuda::kIllegalAddress);
}

TEST(FakeDriver, ChecksCopiesLaunchesAndHandles) {
  const FakeGpuSession gpu(FakeSetup{});
  const auto array = gpu.allocate(4096);
  std::array<std::byte, 64> host{};
  EXPECT_EQ(gpu.api().cuMemcpyHtoD_v2(array + 4064, host.data(), 64), cuda::kInvalidValue);
  EXPECT_EQ(gpu.launch(kernels::kWrite, 0, kernels::WriteArguments{array, 4096, 0}), cuda::kInvalidValue);
  EXPECT_EQ(gpu.launch(kernels::kWrite, 1, kernels::WriteArguments{array, 4096, 0}, 512), cuda::kLaunchOutOfResources);
  EXPECT_EQ(gpu.api().cuStreamSynchronize(reinterpret_cast<cuda::Stream>(&host)), cuda::kInvalidHandle);
  gpu.require(gpu.api().cuCtxSetCurrent(nullptr), "cuCtxSetCurrent");
  cuda::DevicePointer pointer = 0;
  EXPECT_EQ(gpu.api().cuMemAlloc_v2(&pointer, 16), cuda::kInvalidContext);
}

TEST(FakeDriver, MisalignedArraysFault) {
  const FakeGpuSession gpu(FakeSetup{});
  const auto array = gpu.allocate(4096);
  EXPECT_EQ(gpu.launch(kernels::kWrite, 1, kernels::WriteArguments{array + 8, 64, 0}), 0);
  EXPECT_EQ(gpu.api().cuStreamSynchronize(gpu.stream()), cuda::kMisalignedAddress);
}

TEST(FakeDriver, TimeFollowsBytes) {
  const FakeGpuSession gpu(FakeSetup{});
  constexpr std::size_t kBytes = std::size_t{1} << 30;
  const auto array = gpu.allocate(kBytes);
  const kernels::WriteArguments arguments{array, kBytes, 0};
  const double elapsed = gpu.time_ns([&] {
    for (int i = 0; i < 4; ++i) ASSERT_EQ(gpu.launch(kernels::kWrite, 640, arguments), 0);
  });
  const double gb_per_s = 4.0 * kBytes / elapsed;
  EXPECT_NEAR(gb_per_s, 898 * 0.9, 10);
  // Half a microsecond is the step of an event.
  EXPECT_NEAR(std::remainder(elapsed, 500), 0, 1);  // milliseconds as float
}

TEST(FakeDriver, BothDirectionsOfPcieAtOnce) {
  const FakeGpuSession gpu(FakeSetup{});
  constexpr std::size_t kBytes = std::size_t{16} << 20;
  void* host = nullptr;
  ASSERT_EQ(gpu.api().cuMemHostAlloc(&host, 2 * kBytes, 0), 0);
  const auto array = gpu.allocate(2 * kBytes);
  gpu.require(gpu.api().cuMemsetD32Async(array, 0, kBytes / 2, gpu.stream()), "cuMemsetD32Async");
  cuda::Stream other = nullptr;
  ASSERT_EQ(gpu.api().cuStreamCreate(&other, cuda::kStreamNonBlocking), 0);
  cuda::Event forked = nullptr;
  cuda::Event joined = nullptr;
  ASSERT_EQ(gpu.api().cuEventCreate(&forked, 0), 0);
  ASSERT_EQ(gpu.api().cuEventCreate(&joined, 0), 0);
  const auto in = [&] { gpu.require(gpu.api().cuMemcpyHtoDAsync_v2(array, host, kBytes, gpu.stream()), "in"); };
  const double alone = gpu.time_ns(in);
  const double both = gpu.time_ns([&] {
    gpu.require(gpu.api().cuEventRecord(forked, gpu.stream()), "record");
    gpu.require(gpu.api().cuStreamWaitEvent(other, forked, 0), "wait");
    in();
    auto* back = static_cast<std::byte*>(host) + kBytes;
    gpu.require(gpu.api().cuMemcpyDtoHAsync_v2(back, array + kBytes, kBytes, other), "out");
    gpu.require(gpu.api().cuEventRecord(joined, other), "record");
    gpu.require(gpu.api().cuStreamWaitEvent(gpu.stream(), joined, 0), "wait");
  });
  EXPECT_NEAR(kBytes / alone, 12.3, 0.3);
  EXPECT_LT(both, 1.1 * alone);
}

TEST(FakeDriver, GraphsReplayWhatWasCaptured) {
  const FakeGpuSession gpu(FakeSetup{});
  const auto array = gpu.allocate(64);
  ASSERT_EQ(gpu.api().cuStreamBeginCapture_v2(gpu.stream(), cuda::kCaptureThreadLocal), 0);
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(gpu.launch(kernels::kWrite, 1, kernels::WriteArguments{array, 64, static_cast<kernels::UInt64>(i)}), 0);
  }
  cuda::Graph graph = nullptr;
  cuda::GraphExec exec = nullptr;
  ASSERT_EQ(gpu.api().cuStreamEndCapture(gpu.stream(), &graph), 0);
  ASSERT_EQ(gpu.api().cuGraphInstantiate_v2(&exec, graph, nullptr, nullptr, 0), 0);
  EXPECT_EQ(word(gpu, array), 0xcdcdcdcdcdcdcdcdULL);
  const double in_graph = gpu.time_ns([&] { ASSERT_EQ(gpu.api().cuGraphLaunch(exec, gpu.stream()), 0); });
  EXPECT_EQ(word(gpu, array), 9U);
  const double one_by_one = gpu.time_ns([&] {
    for (int i = 0; i < 10; ++i) ASSERT_EQ(gpu.launch_raw(kernels::kEmpty, 1, 256, nullptr), 0);
  });
  EXPECT_LT(in_graph, one_by_one);
}

TEST(FakeDriver, GateHoldsTheStreamUntilTheFlagOrItsBound) {
  const FakeGpuSession gpu(FakeSetup{});
  void* host = nullptr;
  ASSERT_EQ(gpu.api().cuMemHostAlloc(&host, 64, cuda::kHostAllocDeviceMap), 0);
  auto* flag = static_cast<volatile std::uint32_t*>(host);
  cuda::DevicePointer mapped = 0;
  ASSERT_EQ(gpu.api().cuMemHostGetDevicePointer_v2(&mapped, host, 0), 0);
  const auto outcome = gpu.allocate(4);
  const kernels::GateArguments arguments{mapped, outcome, 1'000'000, 100'000'000};
  *flag = 0;
  ASSERT_EQ(gpu.launch(kernels::kGate, 1, arguments, 1), 0);
  EXPECT_EQ(gpu.api().cuStreamQuery(gpu.stream()), cuda::kNotReady);
  *flag = 1;
  EXPECT_EQ(gpu.api().cuStreamQuery(gpu.stream()), 0);
  EXPECT_EQ(static_cast<unsigned>(gpu.download(outcome, 1)[0]), 1U);
  *flag = 0;
  ASSERT_EQ(gpu.launch(kernels::kGate, 1, arguments, 1), 0);
  EXPECT_EQ(gpu.api().cuStreamSynchronize(gpu.stream()), 0);
  EXPECT_EQ(static_cast<unsigned>(gpu.download(outcome, 1)[0]), 2U);
}

TEST(FakeDriver, ClockStampsGiveTheClock) {
  const FakeGpuSession gpu(FakeSetup{});
  const auto stamps = gpu.allocate(2 * sizeof(kernels::ClockStamp));
  const auto stamp = [&](std::size_t index) {
    ASSERT_EQ(gpu.launch(kernels::kClock, 160,
                         kernels::ClockArguments{stamps + index * sizeof(kernels::ClockStamp), 1, 0}, 1),
              0);
  };
  const auto array = gpu.allocate(std::size_t{1} << 30);
  stamp(0);
  ASSERT_EQ(gpu.launch(kernels::kWrite, 640, kernels::WriteArguments{array, std::size_t{1} << 30, 0}), 0);
  stamp(1);
  const auto bytes = gpu.download(stamps, 2 * sizeof(kernels::ClockStamp));
  std::array<kernels::ClockStamp, 2> got{};
  std::memcpy(got.data(), bytes.data(), sizeof(got));
  const auto cycles = static_cast<double>(got[1].sm_cycles - got[0].sm_cycles);
  EXPECT_NEAR(cycles / static_cast<double>(got[1].global_ns - got[0].global_ns), 1.530, 0.01);
}

}  // namespace
}  // namespace gpuassay
