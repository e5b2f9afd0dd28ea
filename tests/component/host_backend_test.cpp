// What surrounds the devices, measured on this machine: the CPUs by kernels of our own, and everything in its backend.
#include "agent/backends/host_backend.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <thread>

#include "agent/backends/cpu_compute.h"
#include "agent/backends/fma_kernels.h"
#include "agent/backends/instruction_set.h"
#include "core/error.h"
#include "tests/support/scratch_root.h"

namespace gpuassay {
namespace {

std::vector<int> cpus_of_this_thread() {
  cpu_set_t set;
  CPU_ZERO(&set);
  EXPECT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<unsigned>(cpu), &set)) cpus.push_back(cpu);
  }
  return cpus;
}

HostSelection this_host(const std::filesystem::path& folder) {
  HostSelection selection;
  selection.cpu.allowed_cpus = cpus_of_this_thread();
  selection.cpu.threads = static_cast<int>(selection.cpu.allowed_cpus.size());
  selection.folder = folder;
  return selection;
}

ComputeParams arithmetic(int threads) { return {DType::fp32, ComputeUnit::fma, cpu_compute_flops(threads)}; }

TEST(HostBackend, MeasuresMemoryAndArithmeticAndVerifiesThem) {
  const test::ScratchRoot root;
  const HostSelection host = this_host(root.path());
  const auto backend = make_host_backend(host);
  for (const OperationParams& params :
       {OperationParams{BandwidthParams{BandwidthKernel::triad, MemoryLevel::dram, 8 << 20}},
        OperationParams{arithmetic(host.cpu.threads)}}) {
    const auto operation = backend->prepare(params);
    EXPECT_GT(operation->run_timed_ns(2), 0);
    const Verification verification = operation->verify();
    EXPECT_TRUE(verification.passed) << verification.max_error;
    EXPECT_GE(verification.positions, 64);
    EXPECT_FALSE(operation->algorithm().empty());
    EXPECT_FALSE(operation->performed());
  }
}

TEST(HostBackend, ThreadsAreBoundOnlyWhileAnOperationLives) {
  const test::ScratchRoot root;
  const HostSelection host = this_host(root.path());
  if (host.cpu.allowed_cpus.size() < 2) GTEST_SKIP() << "with one CPU everything is bound to it";
  const auto backend = make_host_backend(host);
  {
    const auto operation = backend->prepare(arithmetic(host.cpu.threads));
    EXPECT_EQ(cpus_of_this_thread().size(), 1U);
  }
  EXPECT_EQ(cpus_of_this_thread(), host.cpu.allowed_cpus);
  EXPECT_THROW((void)backend->prepare(ComputeParams{DType::fp32, ComputeUnit::fma, 7}), Error);
  EXPECT_EQ(cpus_of_this_thread(), host.cpu.allowed_cpus) << "also after a refusal";
}

TEST(HostBackend, WithoutOneDnnTheProductIsLeftOut) {
  setenv("GPUASSAY_LIBRARY_PATH", FAKE_DNNL_WRONG_VERSION_DIR, 1);
  const test::ScratchRoot root;
  const auto backend = make_host_backend(this_host(root.path()));
  try {
    (void)backend->prepare(GemmParams{DType::fp32, 64, 64, 64, 1});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported) << "skipped, not failed";
  }
  unsetenv("GPUASSAY_LIBRARY_PATH");
}

TEST(HostBackend, RefusesWhatIsOfADeviceAndNetworksNobodyNamed) {
  const test::ScratchRoot root;
  const auto backend = make_host_backend(this_host(root.path()));
  for (const OperationParams& params :
       {OperationParams{LatencyParams{}}, OperationParams{NetworkParams{NetworkKind::connect, 0}},
        OperationParams{DiskParams{DiskKind::disk_to_device, 1 << 20, 4096}},
        OperationParams{ComputeParams{DType::fp16, ComputeUnit::mma, 1 << 20}}}) {
    try {
      (void)backend->prepare(params);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unsupported);
    }
  }
}

/// Every version that this CPU runs does the very same steps, and stays within bounds.
TEST(FmaKernels, DoWhatTheScalarDoes) {
  constexpr std::int64_t kSteps = 1000;
  std::vector<NamedFmaKernel> kernels{{sse2_fma_kernel, "sse2", kFmaChains * 4, false}};
  const InstructionSet widest = widest_instruction_set();
  if (widest != InstructionSet::sse2 && can_fuse()) kernels.push_back({avx2_fma_kernel, "avx2", kFmaChains * 8, true});
  if (widest == InstructionSet::avx512) kernels.push_back({avx512_fma_kernel, "avx512", kFmaChains * 16, true});
  for (const NamedFmaKernel& kernel : kernels) {
    std::array<float, kMostFmaLanes> lanes{};
    for (std::size_t i = 0; i < kernel.lanes; ++i) lanes.at(i) = static_cast<float>(i) / kMostFmaLanes;
    const auto first = lanes;
    kernel.run(lanes.data(), kSteps);
    for (std::size_t i = 0; i < kernel.lanes; ++i) {
      float want = first.at(i);
      for (std::int64_t step = 0; step < kSteps; ++step)
        want = kernel.fused ? std::fma(want, want, kFmaOffset) : want * want + kFmaOffset;
      EXPECT_EQ(lanes.at(i), want) << kernel.name << " lane " << i;
      EXPECT_LE(std::fabs(lanes.at(i)), 2.0F);
    }
  }
  EXPECT_TRUE(std::any_of(kernels.begin(), kernels.end(),
                          [](const NamedFmaKernel& each) { return each.run == select_fma_kernel().run; }));
}

}  // namespace
}  // namespace gpuassay
