// How does a component test get a fake GPU? The environment that scripts/with_fake_gpu would set, and the agent's own
// function table over the fake driver.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "agent/dynlib/cuda_driver.h"
#include "kernels/arguments.h"
#include "kernels/number_formats.h"

namespace gpuassay::test {

struct FakeSetup {
  std::string gpus = "V100-SXM2-16GB";
  std::string driver = "535.129.03";
  std::string faults = {};
  std::string cublas = {}, cudnn = {};  ///< versions; empty: each library's own default
};

/// A fake driver with device 0 current, one stream, and every kernel of module "base". Failing calls end the test by
/// an exception. The libraries on top of the driver work on the same machine.
class FakeGpuSession {
 public:
  explicit FakeGpuSession(const FakeSetup& setup);
  FakeGpuSession(const FakeGpuSession&) = delete;
  FakeGpuSession& operator=(const FakeGpuSession&) = delete;
  ~FakeGpuSession();

  [[nodiscard]] const cuda::Api& api() const { return driver_.api; }
  [[nodiscard]] cuda::Stream stream() const { return stream_; }
  [[nodiscard]] cuda::Module module() const { return module_; }

  /// The path of a fake library, as a candidate.
  static LibraryCandidate candidate(const std::string& soname);

  [[nodiscard]] cuda::DevicePointer allocate(std::size_t bytes) const;
  /// Memory filled with element_bits(format, seed, i).
  [[nodiscard]] cuda::DevicePointer filled(kernels::ElementFormat format, std::uint64_t seed,
                                           std::uint64_t count) const;
  void upload(cuda::DevicePointer to, std::span<const std::byte> bytes) const;
  [[nodiscard]] std::vector<std::byte> download(cuda::DevicePointer from, std::size_t bytes) const;
  /// `count` elements as numbers.
  [[nodiscard]] std::vector<double> values(cuda::DevicePointer from, kernels::ElementFormat format,
                                           std::size_t count) const;

  /// Queues a kernel; its status.
  template <class Arguments>
  int launch(const char* name, unsigned grid, const Arguments& arguments,
             unsigned block = kernels::kBlockThreads) const {
    Arguments copy = arguments;
    return launch_raw(name, grid, block, &copy);
  }
  int launch_raw(const char* name, unsigned grid, unsigned block, void* arguments) const;

  /// Modelled nanoseconds of what `enqueue` queues.
  template <class Enqueue>
  double time_ns(Enqueue enqueue) const {
    require(api().cuEventRecord(begin_, stream_), "cuEventRecord");
    enqueue();
    require(api().cuEventRecord(end_, stream_), "cuEventRecord");
    require(api().cuEventSynchronize(end_), "cuEventSynchronize");
    float milliseconds = 0;
    require(api().cuEventElapsedTime(&milliseconds, begin_, end_), "cuEventElapsedTime");
    return static_cast<double>(milliseconds) * 1e6;
  }
  void require(int status, const char* what) const { cuda::check(driver_.api, status, what); }

 private:
  cuda::LoadedLibrary driver_;
  cuda::Context context_ = nullptr;
  cuda::Stream stream_ = nullptr;
  cuda::Module module_ = nullptr;
  cuda::Event begin_ = nullptr, end_ = nullptr;
};

/// Sets the environment and makes the fakes read it; without a context. The driver's table.
cuda::LoadedLibrary load_fake_driver(const FakeSetup& setup);

/// PTX text with an entry for every kernel the fakes know.
std::string ptx_with_all_kernels(const std::string& isa, int target);

}  // namespace gpuassay::test
