// The CUDA backend on a fake GPU in this process: what short operations, refusals and dead contexts do to it.
#include "agent/backends/cuda_backend.h"

#include <gtest/gtest.h>

#include "agent/dynlib/nvml.h"
#include "core/error.h"
#include "tests/support/fake_gpu_session.h"

namespace gpuassay {
namespace {

using test::FakeGpuSession;
using test::FakeSetup;

/// A backend on device 0 of a machine set up anew.
std::unique_ptr<Backend> backend_on(const FakeSetup& setup, bool with_lt = true) {
  (void)test::load_fake_driver(setup);
  CudaSelection selection;
  selection.driver = FakeGpuSession::candidate(cuda::kSoname);
  selection.cublas = FakeGpuSession::candidate("libcublas.so.12");
  if (with_lt) selection.cublaslt = FakeGpuSession::candidate("libcublasLt.so.12");
  return make_cuda_backend(selection);
}

const GemmParams kShort{DType::fp32, 64, 64, 64, 1};

/// Nanoseconds of one operation after a few runs, in which a short one is recorded.
double each_ns(Operation& operation) {
  for (const std::int64_t runs : {1, 2, 4, 8}) (void)operation.run_timed_ns(runs);
  constexpr std::int64_t kRuns = 100;
  return static_cast<double>(operation.run_timed_ns(kRuns)) / kRuns;
}

TEST(CudaBackend, AShortOperationIsNotTheHostsTime) {
  const auto recorded = backend_on({})->prepare(kShort);
  const double graph_ns = each_ns(*recorded);
  EXPECT_EQ(recorded->algorithm().find("queued singly"), std::string::npos);
  EXPECT_TRUE(recorded->verify().passed);
  const auto single = backend_on({.faults = "no_capture"})->prepare(kShort);
  const double queued_ns = each_ns(*single);
  EXPECT_NE(single->algorithm().find(", queued singly"), std::string::npos) << single->algorithm();
  EXPECT_TRUE(single->verify().passed);
  EXPECT_LT(graph_ns, 0.9 * queued_ns);
}

TEST(CudaBackend, ALongOperationIsQueuedAsItIs) {
  const auto operation = backend_on({})->prepare(BandwidthParams{BandwidthKernel::triad, MemoryLevel::dram, 1 << 26});
  (void)each_ns(*operation);
  EXPECT_EQ(operation->algorithm(), "");
  EXPECT_TRUE(operation->verify().passed);
}

constexpr BandwidthParams kAllMemory{BandwidthKernel::readback, MemoryLevel::dram, std::int64_t{12} << 30U};

TEST(CudaBackend, AllMemoryReadsBackWhatWasWritten) {
  const auto operation = backend_on({})->prepare(kAllMemory);
  (void)operation->run_timed_ns(2);
  const Verification verification = operation->verify();
  EXPECT_TRUE(verification.passed);
  EXPECT_GT(verification.positions, 4096) << "every block's sum, and single words";
}

TEST(CudaBackend, MemoryThatWrapsIsWrong) {
  const auto operation = backend_on({.faults = "alias"})->prepare(kAllMemory);
  (void)operation->run_timed_ns(1);
  EXPECT_FALSE(operation->verify().passed) << "half of 16 GB is there";
  const auto within =
      backend_on({.faults = "alias"})->prepare(BandwidthParams{BandwidthKernel::readback, MemoryLevel::dram, 1 << 30});
  (void)within->run_timed_ns(1);
  EXPECT_TRUE(within->verify().passed) << "what is there reads back";
  const auto a_little = backend_on({.faults = "alias::0.74"})->prepare(kAllMemory);
  (void)a_little->run_timed_ns(1);
  EXPECT_FALSE(a_little->verify().passed) << "0.16 GB of 12 wrap";
}

TEST(CudaBackend, MultiprocessorsStampTheirClock) {
  const auto backend = backend_on({});
  const auto operation = backend->prepare(BandwidthParams{BandwidthKernel::triad, MemoryLevel::dram, 1 << 26});
  const auto watch = backend->stamp_clock();
  ASSERT_TRUE(watch);
  (void)operation->run_timed_ns(100);
  const auto clock = watch->stop();
  ASSERT_TRUE(clock);
  EXPECT_NEAR(clock->sm_clock_mhz, 1530, 20);
  EXPECT_EQ(clock->multiprocessors, 80);
  EXPECT_FALSE(backend->stamp_clock()->stop()) << "too short to say";
}

TEST(CudaBackend, TheContextTellsWhenItIsDead) {
  const auto backend = backend_on({.faults = "illegal:0:5000"});
  EXPECT_FALSE(backend->fatal_error());
  const auto operation = backend->prepare(kShort);
  EXPECT_THROW((void)operation->run_timed_ns(20000), Error);
  ASSERT_TRUE(backend->fatal_error());
  EXPECT_EQ(backend->fatal_error()->native_code(), cuda::kIllegalAddress);
  EXPECT_EQ(backend->fatal_error()->code(), ErrorCode::library_failed);
}

TEST(CudaBackend, AMemoryErrorIsTheHardwares) {
  const auto backend = backend_on({.faults = "ecc:0:fatal"});
  EXPECT_THROW((void)backend->prepare(kShort), Error);
  ASSERT_TRUE(backend->fatal_error());
  EXPECT_EQ(backend->fatal_error()->code(), ErrorCode::hardware_fault);
}

TEST(CudaBackend, WithoutCublasLtCublasComputes) {
  const auto operation = backend_on({}, false)->prepare(kShort);
  (void)operation->run_timed_ns(1);
  EXPECT_TRUE(operation->verify().passed);
  EXPECT_TRUE(operation->algorithm().starts_with("cublas cublasGemmEx")) << operation->algorithm();
}

TEST(CudaBackend, WhatNeitherLibraryHasIsUnsupported) {
  const auto backend = backend_on({.gpus = "T4"});
  try {
    (void)backend->prepare(GemmParams{DType::bf16, 64, 64, 64, 1});
    FAIL() << "a T4 has no bf16";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported) << error.what();
  }
  EXPECT_FALSE(backend->fatal_error());
}

TEST(CudaBackend, ALibraryThatIsBrokenFailsOneThatIsAbsentIsLeftOut) {
  (void)test::load_fake_driver({});
  CudaSelection selection;
  selection.driver = FakeGpuSession::candidate(cuda::kSoname);
  selection.broken_cublas = "libcublas.so.12 crashed";
  const auto backend = make_cuda_backend(selection);
  const auto code_of = [&](const OperationParams& params) {
    try {
      (void)backend->prepare(params);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  };
  EXPECT_EQ(code_of(kShort), ErrorCode::library_failed);
  EXPECT_EQ(code_of(ConvParams{DType::fp32, ConvDirection::forward, 1, 16, 8, 8, 16, 3, 3, 1, 1}),
            ErrorCode::unsupported);
}

}  // namespace
}  // namespace gpuassay
