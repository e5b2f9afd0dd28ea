// What do all operations of the CUDA backend share? One device with its context, one stream, our own kernels, and the
// clock: device time between two events.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/backends/cuda_memory.h"
#include "agent/backends/cuda_modules.h"
#include "agent/dynlib/cuda_driver.h"
#include "core/error.h"
#include "core/model.h"
#include "kernels/arguments.h"
#include "kernels/number_formats.h"

namespace gpuassay {

/// What the operations need to know of the device.
struct CudaFacts {
  int compute_capability = 0;  ///< 10 x major + minor
  int driver_version = 0;      ///< 1000 x major + 10 x minor: the newest CUDA the driver knows
  int sm_count = 0;
  std::int64_t l2_bytes = 0;
  int async_engines = 0;  ///< copy engines: two can copy both ways at once
};

using OwnedStream = std::unique_ptr<cuda::StreamRecord, int (*)(cuda::Stream)>;
using OwnedEvent = std::unique_ptr<cuda::EventRecord, int (*)(cuda::Event)>;
/// A stream that does not wait for the default one. Throws what the driver answers.
OwnedStream make_stream(const cuda::Api& api);
OwnedEvent make_event(const cuda::Api& api, unsigned flags);

/// Held by shared_ptr by the backend and each operation. Everything happens on the thread that made it, whose current
/// context is the device's primary one: cuBLAS and cuDNN use it too.
class CudaContext {
 public:
  /// Opens the driver at `driver` and makes device `ordinal` current. Throws Error{library_missing},
  /// Error{library_failed} or Error{nothing_measurable} when that fails. Only in a child process or the worker.
  CudaContext(const LibraryCandidate& driver, int ordinal);
  CudaContext(const CudaContext&) = delete;
  CudaContext& operator=(const CudaContext&) = delete;
  ~CudaContext();

  [[nodiscard]] const cuda::Api& api() const { return driver_.api; }
  [[nodiscard]] const CudaFacts& facts() const { return facts_; }
  [[nodiscard]] cuda::Stream stream() const { return stream_.get(); }
  [[nodiscard]] cuda::Device device() const { return device_; }
  [[nodiscard]] cuda::Context handle() const { return context_; }
  [[nodiscard]] bool simulated() const { return driver_.simulated; }
  [[nodiscard]] CudaModules& modules() { return *modules_; }
  /// Makes the context current again after another device's was.
  void make_current() const;
  /// Bytes of device memory nobody uses now.
  [[nodiscard]] std::int64_t free_bytes() const;

  /// A seed not given before, so that no two operands of an operation are the same numbers.
  [[nodiscard]] std::uint64_t next_seed() { return ++seeds_; }

  [[nodiscard]] DeviceBuffer allocate(std::size_t size_bytes) const { return {api(), size_bytes}; }

  /// Queues kernel `name` of module "base" with its argument struct and `blocks` blocks of kBlockThreads threads.
  template <class Arguments>
  void launch(const char* name, std::int64_t blocks, const Arguments& arguments) {
    launch_raw(modules_->function("base", name), blocks, kernels::kBlockThreads, &arguments);
  }
  /// The same for any function and block size; `arguments` points to the struct, null for a kernel without.
  void launch_raw(cuda::Function function, std::int64_t blocks, unsigned threads, const void* arguments) const;

  /// Waits for everything queued. Throws what went wrong on the device.
  void synchronize() const;

  /// What is left behind by an error: empty while the context works, else the error that every later call meets.
  [[nodiscard]] std::optional<Error> fatal_error() const;

  /// Nanoseconds of device time between two events on the stream around what `enqueue` queues; returns when it is
  /// complete. CUDA's events have steps of half a microsecond.
  [[nodiscard]] std::int64_t time_ns(const std::function<void()>& enqueue) const;

  /// Element i of the buffer becomes element_bits(format, seed, i); queued.
  void fill(const DeviceBuffer& buffer, kernels::ElementFormat format, std::uint64_t seed, std::int64_t count);
  /// Every 32-bit word becomes `pattern`; queued. The size is rounded down to whole words.
  void fill_words(const DeviceBuffer& buffer, std::uint32_t pattern);

  /// The elements of `element_bytes` (1, 2, 4, 8) at `positions` of the buffer, as raw bits; complete.
  [[nodiscard]] std::vector<std::uint64_t> sample(const DeviceBuffer& buffer, unsigned element_bytes,
                                                  const std::vector<std::int64_t>& positions);
  /// Copies host bytes to the start of `buffer`, in order with the stream; `source` may go away at once.
  void write(const DeviceBuffer& buffer, const void* source, std::size_t size_bytes) const;
  /// Copies the start of `buffer` into `target`; complete.
  void read(const DeviceBuffer& buffer, std::span<std::byte> target) const;

 private:
  cuda::LoadedLibrary driver_;
  CudaFacts facts_;
  cuda::Device device_ = 0;
  cuda::Context context_ = nullptr;
  OwnedStream stream_;
  OwnedEvent begin_, end_;
  std::unique_ptr<CudaModules> modules_;
  std::uint64_t seeds_ = 0;
};

/// Blocks that cover `count` items of `per_block` each, at least one and at most what a grid may have.
std::int64_t blocks_for(std::int64_t count, std::int64_t per_block);

/// All bits of the word set: NaN in every floating-point format, -1 as an integer.
inline constexpr std::uint32_t kPoison = 0xffffffffU;

}  // namespace gpuassay
