// Does each injected fault of the fake GPUs do what tests/support/fake_gpu/README.md says, and does NVML tell?
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <csignal>

#include "agent/dynlib/cublas.h"
#include "agent/dynlib/nccl.h"
#include "agent/dynlib/nvml.h"
#include "core/error.h"
#include "kernels/random_normal.h"
#include "tests/support/fake_gpu_session.h"

namespace gpuassay {
namespace {

using kernels::ElementFormat;
using test::FakeGpuSession;
using test::FakeSetup;

FakeSetup faulty(const std::string& faults) { return FakeSetup{.faults = faults}; }

/// NVML on the same machine, from init to shutdown.
class Monitor {
 public:
  explicit Monitor(unsigned index = 0) : library_(nvml::load(FakeGpuSession::candidate(nvml::kSoname))) {
    EXPECT_EQ(api().nvmlInit_v2(), 0);
    EXPECT_EQ(api().nvmlDeviceGetHandleByIndex_v2(index, &device), 0);
  }
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;
  ~Monitor() { (void)api().nvmlShutdown(); }

  [[nodiscard]] const nvml::Api& api() const { return library_.api; }
  [[nodiscard]] unsigned long long reasons() const {
    unsigned long long bits = 0;
    EXPECT_EQ(api().nvmlDeviceGetCurrentClocksThrottleReasons(device, &bits), 0);
    return bits;
  }
  [[nodiscard]] unsigned sm_clock_mhz() const {
    unsigned mhz = 0;
    EXPECT_EQ(api().nvmlDeviceGetClockInfo(device, nvml::kClockSm, &mhz), 0);
    return mhz;
  }

  nvml::Device device = nullptr;

 private:
  nvml::LoadedLibrary library_;
};

/// A square SGEMM on generated matrices.
class Product {
 public:
  explicit Product(const FakeGpuSession& gpu, int size = 64)
      : size_(size), blas_(cublas::load(FakeGpuSession::candidate("libcublas.so.12"))) {
    EXPECT_EQ(blas_.api.cublasCreate_v2(&handle_), 0);
    EXPECT_EQ(blas_.api.cublasSetStream_v2(handle_, gpu.stream()), 0);
    const auto count = static_cast<std::uint64_t>(size) * static_cast<std::uint64_t>(size);
    a_ = gpu.filled(ElementFormat::fp32, 1, count);
    c = gpu.allocate(4 * count);
  }

  [[nodiscard]] int run() const {
    const float one = 1;
    const float zero = 0;
    auto* a = reinterpret_cast<float*>(a_);
    return blas_.api.cublasSgemm_v2(handle_, 0, 0, size_, size_, size_, &one, a, size_, a, size_, &zero,
                                    reinterpret_cast<float*>(c), size_);
  }

  cuda::DevicePointer c = 0;

 private:
  int size_;
  cublas::LoadedLibrary blas_;
  cublas::Handle handle_ = nullptr;
  cuda::DevicePointer a_ = 0;
};

TEST(FakeFaults, InitialisationFaults) {
  EXPECT_EQ(test::load_fake_driver(faulty("stub")).api.cuInit(0), cuda::kStubLibrary);
  EXPECT_EQ(test::load_fake_driver(faulty("no_device")).api.cuInit(0), cuda::kNoDevice);
  int version = 0;
  EXPECT_EQ(test::load_fake_driver(faulty("old_driver")).api.cuDriverGetVersion(&version), 0);
  EXPECT_EQ(version, 10020);
  EXPECT_EQ(test::load_fake_driver(faulty("old_driver::390.48")).api.cuDriverGetVersion(&version), 0);
  EXPECT_LT(version, 11000);
}

TEST(FakeFaults, MissingSymbolIsALibraryWithoutFunctions) {
  const LibraryCandidate candidate{"libcuda.so.1", std::string(GPUASSAY_FAKE_GPU_DIR) + "/libincomplete.so", "override",
                                   false};
  try {
    (void)cuda::load(candidate);
    FAIL() << "loaded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::library_missing);
  }
}

TEST(FakeFaults, OutOfMemoryBeyondTheGivenSize) {
  const FakeGpuSession gpu(faulty("oom:0:2"));
  (void)gpu.allocate(std::size_t{1} << 20);
  cuda::DevicePointer pointer = 0;
  EXPECT_EQ(gpu.api().cuMemAlloc_v2(&pointer, std::size_t{2} << 20), cuda::kOutOfMemory);
  std::size_t free_bytes = 0;
  std::size_t total = 0;
  ASSERT_EQ(gpu.api().cuMemGetInfo_v2(&free_bytes, &total), 0);
  EXPECT_GT(free_bytes, std::size_t{10} << 30);
}

TEST(FakeFaults, UnsupportedRefusesTheDtype) {
  const FakeGpuSession gpu(faulty("unsupported:0:fp32"));
  EXPECT_EQ(Product(gpu).run(), cublas::kNotSupported);
  const FakeGpuSession other(faulty("unsupported"));
  EXPECT_EQ(Product(other).run(), 0);
}

TEST(FakeFaults, NanAndWrongSpoilAQuarterOfTheOutput) {
  const auto result_with = [](const std::string& faults) {
    const FakeGpuSession gpu(faulty(faults));
    const Product product(gpu);
    EXPECT_EQ(product.run(), 0);
    return gpu.values(product.c, ElementFormat::fp32, 4096);
  };
  const auto right = result_with("");
  const auto nan = result_with("nan:0:gemm");
  const auto wrong = result_with("wrong:0:gemm");
  EXPECT_EQ(result_with("wrong:0:conv"), right);
  EXPECT_EQ(result_with("wrong"), right) << "small products pass";
  int nans = 0;
  int differences = 0;
  for (std::size_t i = 0; i < right.size(); ++i) {
    nans += std::isnan(nan[i]) ? 1 : 0;
    differences += wrong[i] != right[i] ? 1 : 0;
  }
  EXPECT_NEAR(nans, 1024, 150);
  EXPECT_EQ(differences, nans);
}

double write_ns(const FakeGpuSession& gpu, int times) {
  constexpr std::size_t kBytes = std::size_t{1} << 30;
  static_assert(kBytes % kernels::kTileBytes == 0);
  const auto array = gpu.allocate(kBytes);
  const double elapsed = gpu.time_ns([&] {
    for (int i = 0; i < times; ++i) {
      ASSERT_EQ(gpu.launch(kernels::kWrite, 640, kernels::WriteArguments{array, kBytes, 0}), 0);
    }
  });
  gpu.require(gpu.api().cuMemFree_v2(array), "cuMemFree_v2");
  return elapsed / times;
}

TEST(FakeFaults, SlowStretchesTimesWithoutAnEvent) {
  const FakeGpuSession usual(faulty(""));
  const double expected = write_ns(usual, 4);
  const FakeGpuSession gpu(faulty("slow:0:0.25"));
  EXPECT_NEAR(write_ns(gpu, 4) / expected, 4, 0.1);
  EXPECT_EQ(Monitor().reasons(), 0U);
}

TEST(FakeFaults, ThrottleLowersTheClockAfterAWhileAndSaysSo) {
  const FakeGpuSession gpu(faulty("throttle:0:0.5"));
  const Product product(gpu, 8192);
  const auto run = [&] { ASSERT_EQ(product.run(), 0); };
  const double cool = gpu.time_ns(run);
  const Monitor monitor;
  EXPECT_EQ(monitor.reasons() & nvml::kReasonHwThermalSlowdown, 0U);
  const unsigned fast = monitor.sm_clock_mhz();
  double hot = 0;
  for (int i = 0; i < 4; ++i) hot = gpu.time_ns(run);
  EXPECT_NEAR(hot / cool, 2, 0.1);
  EXPECT_NE(monitor.reasons() & nvml::kReasonHwThermalSlowdown, 0U);
  EXPECT_NEAR(monitor.sm_clock_mhz(), fast / 2.0, 10);
  unsigned celsius = 0;
  ASSERT_EQ(monitor.api().nvmlDeviceGetTemperature(monitor.device, 0, &celsius), 0);
  EXPECT_GT(celsius, 90U);
}

TEST(FakeFaults, PowerCapLowersLimitAndClock) {
  const FakeGpuSession gpu(faulty("power_cap:0:0.5"));
  const Product product(gpu, 8192);
  ASSERT_EQ(product.run(), 0);
  const Monitor monitor;
  EXPECT_EQ(monitor.reasons(), nvml::kReasonSwPowerCap);
  unsigned limit = 0;
  unsigned usual = 0;
  unsigned drawn = 0;
  ASSERT_EQ(monitor.api().nvmlDeviceGetEnforcedPowerLimit(monitor.device, &limit), 0);
  ASSERT_EQ(monitor.api().nvmlDeviceGetPowerManagementDefaultLimit(monitor.device, &usual), 0);
  ASSERT_EQ(monitor.api().nvmlDeviceGetPowerUsage(monitor.device, &drawn), 0);
  EXPECT_EQ(limit, usual / 2);
  EXPECT_LE(drawn, limit);
  EXPECT_LT(monitor.sm_clock_mhz(), 1300U);
}

TEST(FakeFaults, HangNeverCompletes) {
  const FakeGpuSession gpu(faulty("hang:0:gemm"));
  cuda::Event event = nullptr;
  ASSERT_EQ(gpu.api().cuEventCreate(&event, 0), 0);
  EXPECT_EQ(gpu.api().cuStreamQuery(gpu.stream()), 0);
  ASSERT_EQ(Product(gpu).run(), 0);
  ASSERT_EQ(gpu.api().cuEventRecord(event, gpu.stream()), 0);
  EXPECT_EQ(gpu.api().cuEventQuery(event), cuda::kNotReady);
  EXPECT_EQ(gpu.api().cuStreamQuery(gpu.stream()), cuda::kNotReady);
}

TEST(FakeFaultsDeathTest, CrashIsASegmentationFault) {
  const FakeGpuSession gpu(faulty("crash"));
  EXPECT_EQ(Product(gpu).run(), 0) << "small products pass";
  const Product product(gpu, 1024);
  EXPECT_DEATH((void)product.run(), "");
}

TEST(FakeFaults, LostStaysLostAndNvmlSaysSo) {
  const FakeGpuSession gpu(faulty("lost:0:5"));
  const auto array = gpu.allocate(64);
  int status = 0;
  int launches = 0;
  while (status == 0 && launches < 20) {
    status = gpu.launch(kernels::kWrite, 1, kernels::WriteArguments{array, 64, 0});
    ++launches;
  }
  EXPECT_EQ(status, cuda::kUnknownError);
  EXPECT_EQ(launches, 6);
  EXPECT_EQ(gpu.api().cuStreamSynchronize(gpu.stream()), cuda::kUnknownError);
  const Monitor monitor;
  unsigned value = 0;
  EXPECT_EQ(monitor.api().nvmlDeviceGetPowerUsage(monitor.device, &value), nvml::kGpuIsLost);
}

TEST(FakeFaults, EccErrorsAreCountedOrFatal) {
  {
    const FakeGpuSession gpu(faulty("ecc:0:3"));
    ASSERT_EQ(Product(gpu).run(), 0);
    const Monitor monitor;
    unsigned long long count = 0;
    ASSERT_EQ(
        monitor.api().nvmlDeviceGetTotalEccErrors(monitor.device, nvml::kErrorsUncorrected, nvml::kEccVolatile, &count),
        0);
    EXPECT_EQ(count, 3U);
  }
  const FakeGpuSession gpu(faulty("ecc:0:fatal"));
  const auto array = gpu.allocate(64);
  EXPECT_EQ(gpu.launch(kernels::kWrite, 1, kernels::WriteArguments{array, 64, 0}), 0);
  EXPECT_EQ(gpu.api().cuStreamSynchronize(gpu.stream()), cuda::kEccUncorrectable);
}

TEST(FakeFaults, MigIsASliceOfTheCard) {
  const FakeGpuSession gpu(FakeSetup{.gpus = "A100-SXM4-40GB", .faults = "mig:0:1"});
  std::array<char, 96> name{};
  ASSERT_EQ(gpu.api().cuDeviceGetName(name.data(), name.size(), 0), 0);
  EXPECT_STREQ(name.data(), "NVIDIA A100-SXM4-40GB MIG 1g");
  int multiprocessors = 0;
  ASSERT_EQ(gpu.api().cuDeviceGetAttribute(&multiprocessors, cuda::kMultiprocessorCount, 0), 0);
  EXPECT_EQ(multiprocessors, 13);
  const Monitor monitor;
  unsigned current = 0;
  unsigned pending = 0;
  ASSERT_EQ(monitor.api().nvmlDeviceGetMigMode(monitor.device, &current, &pending), 0);
  EXPECT_EQ(current, 1U);
  ASSERT_EQ(monitor.api().nvmlDeviceGetName(monitor.device, name.data(), name.size()), 0);
  EXPECT_STREQ(name.data(), "NVIDIA A100-SXM4-40GB");
}

TEST(FakeFaults, NvmlDeniedRefusesEveryQuestion) {
  const FakeGpuSession gpu(faulty("nvml_denied"));
  const Monitor monitor;
  unsigned value = 0;
  EXPECT_EQ(monitor.api().nvmlDeviceGetPowerUsage(monitor.device, &value), nvml::kNoPermission);
}

TEST(FakeNvml, OldBoardsTellLess) {
  const FakeGpuSession gpu(FakeSetup{.gpus = "K80 (board)", .driver = "470.256.02"});
  const Monitor monitor(1);
  unsigned long long energy = 0;
  EXPECT_EQ(monitor.api().nvmlDeviceGetTotalEnergyConsumption(monitor.device, &energy), nvml::kNotSupported);
  unsigned current = 0;
  unsigned pending = 0;
  EXPECT_EQ(monitor.api().nvmlDeviceGetMigMode(monitor.device, &current, &pending), nvml::kNotSupported);
  unsigned long long reasons = 0;
  EXPECT_EQ(monitor.api().nvmlDeviceGetCurrentClocksEventReasons(monitor.device, &reasons), nvml::kFunctionNotFound);
  EXPECT_EQ(monitor.reasons(), nvml::kReasonGpuIdle);
  unsigned dual = 0;
  EXPECT_EQ(monitor.api().nvmlDeviceGetMultiGpuBoard(monitor.device, &dual), 0);
  EXPECT_EQ(dual, 1U);
  nvml::Device by_bus = nullptr;
  EXPECT_EQ(monitor.api().nvmlDeviceGetHandleByPciBusId_v2("00000000:11:00.0", &by_bus), 0);
  EXPECT_EQ(by_bus, monitor.device);
}

TEST(FakeNvml, LoadShowsInPowerAndClock) {
  const FakeGpuSession gpu(faulty(""));
  const Monitor monitor;
  unsigned idle = 0;
  ASSERT_EQ(monitor.api().nvmlDeviceGetPowerUsage(monitor.device, &idle), 0);
  const unsigned idle_clock = monitor.sm_clock_mhz();
  const Product product(gpu, 8192);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(product.run(), 0);
  unsigned loaded = 0;
  ASSERT_EQ(monitor.api().nvmlDeviceGetPowerUsage(monitor.device, &loaded), 0);
  EXPECT_GT(loaded, 2 * idle);
  EXPECT_GT(monitor.sm_clock_mhz(), idle_clock);
  EXPECT_EQ(monitor.reasons(), 0U);
}

TEST(FakeNccl, AllReduceAddsUpTheRanks) {
  const FakeGpuSession gpu(FakeSetup{.gpus = "V100-SXM2-16GB*2"});
  const auto library = nccl::load(FakeGpuSession::candidate(nccl::kSoname));
  EXPECT_EQ(library.version.major, 2);
  std::array<nccl::Comm, 2> comms{};
  ASSERT_EQ(library.api.ncclCommInitAll(comms.data(), 2, nullptr), 0);
  constexpr std::size_t kCount = 256;
  const auto first = gpu.filled(ElementFormat::fp32, 1, kCount);
  // The second device has a context and a buffer of its own.
  cuda::Context context = nullptr;
  ASSERT_EQ(gpu.api().cuDevicePrimaryCtxRetain(&context, 1), 0);
  ASSERT_EQ(gpu.api().cuCtxSetCurrent(context), 0);
  const auto second = gpu.allocate(4 * kCount);
  gpu.require(gpu.api().cuMemsetD32Async(second, 0x40000000, kCount, nullptr), "cuMemsetD32Async");
  EXPECT_EQ(gpu.api().cuMemsetD8_v2(first, 0, 4), cuda::kInvalidValue);
  ASSERT_EQ(library.api.ncclGroupStart(), 0);
  for (std::size_t rank = 0; rank < 2; ++rank) {
    auto* buffer = reinterpret_cast<void*>(rank == 0 ? first : second);
    ASSERT_EQ(library.api.ncclAllReduce(buffer, buffer, kCount, nccl::kFloat32, nccl::kSum, comms.at(rank), nullptr),
              0);
  }
  ASSERT_EQ(library.api.ncclGroupEnd(), 0);
  const auto got = gpu.values(second, ElementFormat::fp32, kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    EXPECT_EQ(got[i], static_cast<double>(static_cast<float>(kernels::element_value(ElementFormat::fp32, 1, i) + 2)));
  }
  // A rank that nobody answers.
  EXPECT_EQ(library.api.ncclAllReduce(reinterpret_cast<void*>(second), reinterpret_cast<void*>(second), kCount,
                                      nccl::kFloat32, nccl::kSum, comms[1], nullptr),
            nccl::kInvalidUsage);
}

}  // namespace
}  // namespace gpuassay
