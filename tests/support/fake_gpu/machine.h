// What does the imitated machine consist of? Devices, memory, streams and handles of one process, behind one mutex.
// Every fake library works on this one object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "agent/dynlib/cuda_driver.h"
#include "tests/support/fake_gpu/device.h"
#include "tests/support/fake_gpu/marks.h"
#include "tests/support/fake_gpu/recipe.h"
#include "tests/support/fake_gpu/timeline.h"

namespace gpuassay::fake {

/// A driver status on its way to the caller; each library turns it into a status of its own.
class Failure final : public std::exception {
 public:
  explicit Failure(int status) : code(status) {}
  int code;
};

/// Part of one allocation, or of mapped host memory.
struct Range {
  Contents* contents = nullptr;
  std::byte* host = nullptr;
  std::uint64_t offset = 0, size = 0;
};

class Machine {
 public:
  /// The one of this process, made from the environment at first use.
  static Machine& instance();
  /// Forgets everything and reads the environment again: for tests that try several set-ups in one process.
  void reset();

  std::recursive_mutex mutex;
  bool initialized = false;
  Setup setup;
  Marks marks;
  std::vector<std::unique_ptr<Device>> devices;
  double host_now_ns = 0;

  /// Throws Failure{kInvalidDevice}.
  Device& device(int ordinal);
  /// Of the calling thread's context. Throws Failure{kInvalidContext}, or the device's sticky error.
  Device& current();
  void set_current(cuda::ContextRecord* context);
  /// The calling thread's context; null when it has none.
  [[nodiscard]] cuda::ContextRecord* context() const;
  cuda::ContextRecord* retain_primary(int ordinal);
  void release_primary(int ordinal);

  // handles: any record type; a destroyed or foreign pointer is Failure{kInvalidHandle}
  template <class Record>
  Record* adopt(std::unique_ptr<Record> record) {
    Record* raw = record.get();
    handles_[raw] = std::shared_ptr<void>(std::move(record));
    return raw;
  }
  template <class Record>
  Record& checked(Record* handle) const {
    if (!handles_.contains(handle)) throw Failure{cuda::kInvalidHandle};
    return *handle;
  }
  void release(void* handle);

  // memory; addresses of other devices and past an end throw Failure{code}
  cuda::DevicePointer allocate(std::uint64_t bytes);
  void free(cuda::DevicePointer pointer);
  [[nodiscard]] std::uint64_t free_bytes(const Device& device) const;
  Range range(cuda::DevicePointer pointer, std::uint64_t bytes, int code = cuda::kIllegalAddress);
  View view(cuda::DevicePointer pointer, std::uint64_t bytes, int code = cuda::kIllegalAddress);
  void write(cuda::DevicePointer pointer, std::uint64_t bytes, const RecipePointer& recipe,
             int code = cuda::kIllegalAddress);
  void write(cuda::DevicePointer pointer, const View& view, int code = cuda::kIllegalAddress);
  void* allocate_host(std::uint64_t bytes);
  void free_host(void* pointer);
  [[nodiscard]] bool is_pinned(const void* pointer, std::uint64_t bytes) const;
  /// The content of host memory as a recipe; the same memory with the same content gives the same recipe again.
  RecipePointer host_bytes(const void* source, std::uint64_t bytes);
  /// Computes the bytes of `view` into host memory; a large block that already holds them is not computed again.
  void copy_out(void* destination, const View& view);

  // peers: devices of one kind that are whole, unless they are made for games or have the fault `no_peer`
  [[nodiscard]] bool may_reach(int from, int to);
  /// How long `bytes` take between them: over NVLink, the bus, or twice over the bus where they cannot reach each
  /// other.
  double peer_ns(double bytes, int from, int to);
  /// On which device an address lies; the current one where it is no device memory.
  int device_of(cuda::DevicePointer pointer);
  std::set<std::pair<int, int>> reached_peers;  ///< which device was let into the memory of which

  // work
  cuda::StreamRecord* create_stream();
  void destroy_stream(cuda::StreamRecord* stream);
  /// Null stands for the current device's default stream.
  cuda::StreamRecord& stream(cuda::StreamRecord* handle);
  /// Queues an operation, or adds it to the stream's capture.
  void submit(cuda::StreamRecord& stream, const Operation& operation, double call_ns = kLaunchCallNs);
  void record(cuda::StreamRecord& stream, cuda::EventRecord& event);
  void wait(cuda::StreamRecord& stream, cuda::EventRecord& event);
  /// Lets everything happen that can; whether nothing is left in the stream.
  bool drain(cuda::StreamRecord& stream);
  /// Whether an event's moment has come.
  bool completed(const cuda::EventRecord& event);
  /// Waits until nothing is left; for ever when something never completes. `lock` is given up while waiting.
  void synchronize(cuda::StreamRecord& stream, std::unique_lock<std::recursive_mutex>& lock);
  void synchronize(Device& device, std::unique_lock<std::recursive_mutex>& lock);
  void synchronize(cuda::EventRecord& event, std::unique_lock<std::recursive_mutex>& lock);

  /// What a launch costs the calling thread, and each kernel of a graph.
  static constexpr double kLaunchCallNs = 2100, kGraphNodeNs = 200;

 private:
  struct Allocation {
    std::uint64_t size = 0;
    int device = 0;
    Contents contents;
  };
  struct HostCopy {
    std::uint64_t size = 0;
    std::weak_ptr<const Recipe> recipe;
  };

  Machine();
  void check_faults(Device& device, const Operation& operation, Queued& queued);
  bool step(cuda::StreamRecord& stream);
  void run(cuda::StreamRecord& stream, const Queued& queued, double earliest_ns);
  bool drain_all();
  void wrap(Contents& contents, std::uint64_t end);
  void force_gates();

  std::map<const void*, std::shared_ptr<void>> handles_;
  std::vector<cuda::ContextRecord*> primary_;
  std::map<cuda::DevicePointer, Allocation> allocations_;
  std::map<const std::byte*, std::vector<std::byte>> host_allocations_;
  std::map<const void*, HostCopy> copied_in_, copied_out_;
  std::vector<std::unique_ptr<cuda::StreamRecord>> default_streams_;
  std::set<cuda::StreamRecord*> streams_;
  std::vector<cuda::DevicePointer> next_address_;
};

/// The output of an operation of that kind ("gemm", "conv", "stream") and size as the faults `nan` and `wrong` leave
/// it.
RecipePointer with_faults(const Machine& machine, const Device& device, std::string_view kind,
                          std::shared_ptr<const ElementRecipe> recipe, kernels::ElementFormat format,
                          double operations = 0);

}  // namespace gpuassay::fake
