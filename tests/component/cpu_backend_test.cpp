// The real backend on small shapes. Every test runs with the oneDNN of this machine or says that there is none.
#include "agent/backends/cpu_backend.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <cstdlib>

#include "agent/dynlib/shared_library.h"
#include "core/error.h"
#include "core/operations.h"

namespace gpuassay {
namespace {

CpuFacts facts_here() {
  CpuFacts facts;
  cpu_set_t set;
  CPU_ZERO(&set);
  EXPECT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  for (int cpu = 0; cpu < CPU_SETSIZE && facts.allowed_cpus.size() < 2; ++cpu) {
    if (CPU_ISSET(static_cast<unsigned>(cpu), &set)) facts.allowed_cpus.push_back(cpu);
  }
  facts.threads = static_cast<int>(facts.allowed_cpus.size());
  facts.has_bf16 = __builtin_cpu_supports("avx512bf16") != 0;
  return facts;
}

class CpuBackendTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!SharedLibrary::find({}, "libdnnl.so.2")) GTEST_SKIP() << "oneDNN 2 (libdnnl2) is not installed";
    // Binding is part of what is tested; the next test starts from the mask this one found.
    CPU_ZERO(&mask_);
    sched_getaffinity(0, sizeof mask_, &mask_);
    facts_ = facts_here();
    backend_ = make_cpu_backend(facts_);
  }
  void TearDown() override {
    backend_.reset();
    if (CPU_COUNT(&mask_) > 0) sched_setaffinity(0, sizeof mask_, &mask_);
  }

  /// Not run: fails. Run: passes. Not run again since: fails again.
  void expect_measured_and_verified(const OperationParams& params) {
    SCOPED_TRACE(case_id(params));
    const std::unique_ptr<Operation> operation = backend_->prepare(params);
    EXPECT_FALSE(operation->verify().passed) << "an output that nothing wrote passed";
    EXPECT_GT(operation->run_timed_ns(3), 0);
    const Verification verification = operation->verify();
    EXPECT_TRUE(verification.passed) << verification.max_error << " > " << verification.tolerance;
    EXPECT_GT(verification.positions, 0);
    EXPECT_FALSE(operation->algorithm().empty());
    EXPECT_FALSE(operation->verify().passed) << "an output of an earlier run passed";
    EXPECT_GT(operation->run_timed_ns(1), 0);
    EXPECT_TRUE(operation->verify().passed);
  }

  void expect_unsupported(const OperationParams& params) {
    try {
      (void)backend_->prepare(params);
      ADD_FAILURE() << case_id(params) << " was prepared";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unsupported) << error.what();
    }
  }

  CpuFacts facts_;
  cpu_set_t mask_{};
  std::unique_ptr<Backend> backend_;
};

TEST_F(CpuBackendTest, GemmFp32) {
  for (const GemmParams& shape : {GemmParams{DType::fp32, 64, 96, 128, 1}, GemmParams{DType::fp32, 1, 257, 513, 1},
                                  GemmParams{DType::fp32, 33, 17, 5, 1}, GemmParams{DType::fp32, 1, 1, 1, 1},
                                  GemmParams{DType::fp32, 16, 24, 40, 6}}) {
    expect_measured_and_verified(shape);
  }
}

TEST_F(CpuBackendTest, GemmBf16) {
  if (!facts_.has_bf16) GTEST_SKIP() << "this CPU has no bf16 instructions";
  for (const GemmParams& shape : {GemmParams{DType::bf16, 64, 96, 128, 1}, GemmParams{DType::bf16, 1, 257, 513, 1},
                                  GemmParams{DType::bf16, 16, 24, 40, 6}}) {
    expect_measured_and_verified(shape);
  }
}

TEST_F(CpuBackendTest, GemmInt8) {
  for (const GemmParams& shape : {GemmParams{DType::int8, 64, 96, 128, 1}, GemmParams{DType::int8, 1, 257, 513, 1},
                                  GemmParams{DType::int8, 48, 48, 4096, 1}, GemmParams{DType::int8, 16, 24, 40, 6}}) {
    expect_measured_and_verified(shape);
  }
}

std::vector<ConvParams> conv_shapes(DType dtype, ConvDirection direction) {
  return {{dtype, direction, 2, 16, 9, 9, 32, 3, 3, 1, 1},  {dtype, direction, 2, 32, 9, 9, 16, 1, 1, 2, 0},
          {dtype, direction, 2, 32, 8, 8, 16, 1, 1, 2, 0},  {dtype, direction, 2, 3, 23, 23, 16, 7, 7, 2, 3},
          {dtype, direction, 1, 16, 10, 7, 16, 3, 3, 2, 1}, {dtype, direction, 3, 5, 6, 6, 7, 3, 3, 1, 0}};
}

TEST_F(CpuBackendTest, ConvolutionFp32InEveryDirection) {
  for (const auto direction : {ConvDirection::forward, ConvDirection::backward_data, ConvDirection::backward_weights}) {
    for (const ConvParams& shape : conv_shapes(DType::fp32, direction)) expect_measured_and_verified(shape);
  }
}

TEST_F(CpuBackendTest, ConvolutionBf16InEveryDirection) {
  if (!facts_.has_bf16) GTEST_SKIP() << "this CPU has no bf16 instructions";
  for (const auto direction : {ConvDirection::forward, ConvDirection::backward_data, ConvDirection::backward_weights}) {
    for (const ConvParams& shape : conv_shapes(DType::bf16, direction)) expect_measured_and_verified(shape);
  }
}

constexpr BandwidthKernel kKernels[] = {BandwidthKernel::copy, BandwidthKernel::mul, BandwidthKernel::add,
                                        BandwidthKernel::triad, BandwidthKernel::read};

TEST_F(CpuBackendTest, BandwidthOfEveryKernelAndLevel) {
  for (const BandwidthKernel kernel : kKernels) {
    for (const auto level : {MemoryLevel::l1, MemoryLevel::l2, MemoryLevel::l3, MemoryLevel::dram}) {
      const BandwidthParams params{kernel, level, level == MemoryLevel::dram ? 3 << 20 : 12'352};
      SCOPED_TRACE(case_id(params));
      const auto operation = backend_->prepare(params);
      if (kernel != BandwidthKernel::read) {
        EXPECT_FALSE(operation->verify().passed);
      }
      EXPECT_GT(operation->run_timed_ns(13), 0);
      const Verification verification = operation->verify();
      EXPECT_TRUE(verification.passed);
      EXPECT_EQ(verification.max_error, 0);
      EXPECT_GE(verification.positions, 64);
      if (kernel != BandwidthKernel::read) {
        EXPECT_FALSE(operation->verify().passed);
      }
      EXPECT_GT(operation->run_timed_ns(1), 0);
      EXPECT_TRUE(operation->verify().passed);
    }
  }
}

TEST_F(CpuBackendTest, UnsupportedDtypesAreSkippedNotFailed) {
  expect_unsupported(GemmParams{DType::fp16, 8, 8, 8, 1});
  expect_unsupported(GemmParams{DType::fp8_e4m3, 8, 8, 8, 1});
  expect_unsupported(ConvParams{DType::int8, ConvDirection::forward, 1, 8, 8, 8, 8, 3, 3, 1, 1});
}

TEST_F(CpuBackendTest, Bf16NeedsTheInstructions) {
  facts_.has_bf16 = false;
  backend_ = make_cpu_backend(facts_);
  expect_unsupported(GemmParams{DType::bf16, 8, 8, 8, 1});
}

TEST_F(CpuBackendTest, ImpossibleShapesAreRefused) {
  expect_unsupported(GemmParams{DType::fp32, 0, 8, 8, 1});
  expect_unsupported(GemmParams{DType::fp32, 1LL << 40, 1LL << 40, 8, 1});
  expect_unsupported(ConvParams{DType::fp32, ConvDirection::forward, 1, 8, 2, 2, 8, 3, 3, 1, 0});
  expect_unsupported(ConvParams{DType::fp32, ConvDirection::forward, 1, 8, 8, 8, 8, 3, 3, 0, 1});
  expect_unsupported(ConvParams{DType::fp32, ConvDirection::forward, 1, 8, 8, 8, 8, 3, 3, 1, 3});
  expect_unsupported(BandwidthParams{BandwidthKernel::copy, MemoryLevel::l1, 100});
  expect_unsupported(BandwidthParams{BandwidthKernel::copy, MemoryLevel::l1, 0});
}

TEST_F(CpuBackendTest, OperationsOutliveTheirBackend) {
  const auto gemm = backend_->prepare(GemmParams{DType::fp32, 8, 8, 8, 1});
  const auto copy = backend_->prepare(BandwidthParams{BandwidthKernel::copy, MemoryLevel::l1, 8192});
  backend_.reset();
  EXPECT_GT(gemm->run_timed_ns(1) + copy->run_timed_ns(1), 0);
  EXPECT_TRUE(gemm->verify().passed);
  EXPECT_TRUE(copy->verify().passed);
}

TEST_F(CpuBackendTest, MoreThreadsThanCpusStillFinish) {
  facts_.threads = static_cast<int>(facts_.allowed_cpus.size()) + 1;
  backend_ = make_cpu_backend(facts_);
  expect_measured_and_verified(GemmParams{DType::fp32, 40, 40, 40, 1});
  const auto copy = backend_->prepare(BandwidthParams{BandwidthKernel::copy, MemoryLevel::dram, 1 << 20});
  EXPECT_GT(copy->run_timed_ns(5), 0);
  EXPECT_TRUE(copy->verify().passed);
}

TEST(CpuBackendWithoutOneDnn, SaysWhatToInstall) {
  setenv("GPUASSAY_LIBRARY_PATH", FAKE_DNNL_WRONG_VERSION_DIR, 1);
  try {
    (void)make_cpu_backend(facts_here());
    ADD_FAILURE() << "a backend was made";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::library_missing);
    EXPECT_NE(std::string(error.what()).find("apt-get install libdnnl2"), std::string::npos);
  }
  unsetenv("GPUASSAY_LIBRARY_PATH");
}

}  // namespace
}  // namespace gpuassay
