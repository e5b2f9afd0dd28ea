#include "tests/support/fake_gpu_session.h"

#include <cstdlib>
#include <cstring>

#include "kernels/random_normal.h"

namespace gpuassay::test {
namespace {

void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }

}  // namespace

LibraryCandidate FakeGpuSession::candidate(const std::string& soname) {
  return {soname, std::string(GPUASSAY_FAKE_GPU_DIR) + "/" + soname, "override", false};
}

cuda::LoadedLibrary load_fake_driver(const FakeSetup& setup) {
  set("GPUASSAY_FAKE_GPU", setup.gpus);
  set("GPUASSAY_FAKE_DRIVER", setup.driver);
  set("GPUASSAY_FAKE_FAULTS", setup.faults);
  set("GPUASSAY_FAKE_CUBLAS", setup.cublas);
  set("GPUASSAY_FAKE_CUDNN", setup.cudnn);
  cuda::LoadedLibrary driver = cuda::load(FakeGpuSession::candidate(cuda::kSoname));
  using Reset = int (*)();
  driver.library.required_symbol<Reset>("gpuassay_fake_reset")();
  return driver;
}

std::string ptx_with_all_kernels(const std::string& isa, int target) {
  std::string text = ".version " + isa + "\n.target sm_" + std::to_string(target) + "\n.address_size 64\n";
  for (const char* name :
       {kernels::kStreamCopy, kernels::kStreamMul, kernels::kStreamAdd, kernels::kStreamTriad, kernels::kRead,
        kernels::kWrite, kernels::kGather, kernels::kFill, kernels::kFillConstant, kernels::kSample, kernels::kGate,
        kernels::kClock, kernels::kEmpty, "gpuassay_fma_fp32", "gpuassay_fma_int8", "gpuassay_mma_fp16"}) {
    text += std::string(".visible .entry ") + name + "(\n)\n{\n\tret;\n}\n";
  }
  return text;
}

FakeGpuSession::FakeGpuSession(const FakeSetup& setup) : driver_(load_fake_driver(setup)) {
  require(api().cuInit(0), "cuInit");
  require(api().cuDevicePrimaryCtxRetain(&context_, 0), "cuDevicePrimaryCtxRetain");
  require(api().cuCtxSetCurrent(context_), "cuCtxSetCurrent");
  require(api().cuStreamCreate(&stream_, cuda::kStreamNonBlocking), "cuStreamCreate");
  require(api().cuEventCreate(&begin_, cuda::kEventDefault), "cuEventCreate");
  require(api().cuEventCreate(&end_, cuda::kEventDefault), "cuEventCreate");
  require(api().cuModuleLoadData(&module_, ptx_with_all_kernels("3.2", 35).c_str()), "cuModuleLoadData");
}

FakeGpuSession::~FakeGpuSession() { api().cuCtxSetCurrent(nullptr); }

cuda::DevicePointer FakeGpuSession::allocate(std::size_t bytes) const {
  cuda::DevicePointer pointer = 0;
  require(api().cuMemAlloc_v2(&pointer, bytes), "cuMemAlloc_v2");
  return pointer;
}

cuda::DevicePointer FakeGpuSession::filled(kernels::ElementFormat format, std::uint64_t seed,
                                           std::uint64_t count) const {
  const cuda::DevicePointer pointer = allocate((count * kernels::bits_of(format) + 7) / 8);
  kernels::FillArguments arguments{};
  arguments.destination = pointer;
  arguments.count = count;
  arguments.seed = seed;
  arguments.format = static_cast<kernels::UInt32>(format);
  require(launch(kernels::kFill, 16, arguments), "cuLaunchKernel");
  return pointer;
}

void FakeGpuSession::upload(cuda::DevicePointer to, std::span<const std::byte> bytes) const {
  require(api().cuMemcpyHtoD_v2(to, bytes.data(), bytes.size()), "cuMemcpyHtoD_v2");
}

std::vector<std::byte> FakeGpuSession::download(cuda::DevicePointer from, std::size_t bytes) const {
  std::vector<std::byte> result(bytes);
  require(api().cuMemcpyDtoH_v2(result.data(), from, bytes), "cuMemcpyDtoH_v2");
  return result;
}

std::vector<double> FakeGpuSession::values(cuda::DevicePointer from, kernels::ElementFormat format,
                                           std::size_t count) const {
  const std::size_t size = kernels::bits_of(format) / 8;
  const std::vector<std::byte> bytes = download(from, count * size);
  std::vector<double> result;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, bytes.data() + i * size, size);
    result.push_back(kernels::value_of(format, bits));
  }
  return result;
}

int FakeGpuSession::launch_raw(const char* name, unsigned grid, unsigned block, void* arguments) const {
  cuda::Function function = nullptr;
  require(api().cuModuleGetFunction(&function, module_, name), "cuModuleGetFunction");
  void* parameters[] = {arguments};
  return api().cuLaunchKernel(function, grid, 1, 1, block, 1, 1, 0, stream_, parameters, nullptr);
}

}  // namespace gpuassay::test
