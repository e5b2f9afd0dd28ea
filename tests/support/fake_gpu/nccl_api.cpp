// The fake libnccl.so.2: sums over the devices of one process.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <map>
#include <vector>

#include "tests/support/fake_gpu/library.h"
#include "tests/support/fake_gpu/machine.h"
#include "tests/support/fake_gpu/nccl_exports.h"
#include "tests/support/fake_gpu/on_device.h"

namespace gpuassay::nccl {

/// One rank; `clique` numbers the group it was made with.
struct CommRecord {
  int device = 0, ranks = 0;
  std::uint64_t clique = 0;
};

namespace {

using fake::Elements;
using fake::Failure;
using fake::Machine;
using fake::OnDevice;
using kernels::ElementFormat;

class NcclFailure final : public std::exception {
 public:
  explicit NcclFailure(int cause) : status(cause) {}
  int status;
};

template <class Body>
int nccl_call(Body body) noexcept {
  try {
    Machine& machine = Machine::instance();
    const std::unique_lock lock(machine.mutex);
    body(machine);
    return kSuccess;
  } catch (const NcclFailure& failure) {
    return failure.status;
  } catch (const Failure&) {
    return kUnhandledCudaError;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fake NCCL: %s\n", error.what());
    return kInternalError;
  }
}

/// One call within a group.
struct Call {
  const CommRecord* comm = nullptr;
  std::uint64_t send = 0, receive = 0, count = 0;
  int data_type = kFloat32;
  cuda::Stream stream = nullptr;
};

/// Calls of the group that this thread has opened.
struct Group {
  int depth = 0;
  std::vector<Call> calls;
};

Group& group() {
  thread_local Group open;
  return open;
}

ElementFormat format_of(int data_type) {
  switch (data_type) {
    case kInt8: return ElementFormat::int8;
    case kFloat16: return ElementFormat::fp16;
    case kFloat32: return ElementFormat::fp32;
    case kFloat64: return ElementFormat::fp64;
    default: throw NcclFailure{kInvalidArgument};
  }
}

class Sum final : public fake::ElementRecipe {
 public:
  Sum(std::vector<Elements> parts, ElementFormat format)
      : ElementRecipe(kernels::bits_of(format) / 8), parts_(std::move(parts)), format_(format) {}
  [[nodiscard]] std::uint64_t element(std::uint64_t index) const override {
    double sum = 0;
    for (const Elements& part : parts_) sum += part.at(index);
    return fake::bits_from_double(format_, sum);
  }
  [[nodiscard]] int depth() const override {
    int deepest = 0;
    for (const Elements& part : parts_) deepest = std::max(deepest, part.depth());
    return deepest + 1;
  }

 private:
  std::vector<Elements> parts_;
  ElementFormat format_;
};

/// A ring moves 2 (n - 1) / n of the data over each link.
double ring_ns(double bytes, int ranks, const fake::GpuProfile& gpu) {
  constexpr double kLinkShare = 0.4, kPcieGeneration3 = 12.0, kStartNs = 10'000;
  const double pcie = kPcieGeneration3 * (1 << std::max(0, gpu.pcie_generation - 3));
  const double gb_per_s = gpu.nvlink_gb_per_s > 0 ? gpu.nvlink_gb_per_s * kLinkShare : pcie * 0.8;
  return kStartNs + 2.0 * (ranks - 1) / ranks * bytes / gb_per_s;
}

/// Every rank's call is there: the sum of all sends goes to every receive.
void reduce(Machine& machine, const std::vector<Call>& calls) {
  const Call& first = calls.front();
  const ElementFormat format = format_of(first.data_type);
  const std::uint64_t bytes = first.count * kernels::bits_of(format) / 8;
  std::vector<Elements> parts;
  for (const Call& call : calls) {
    if (call.count != first.count || call.data_type != first.data_type) throw NcclFailure{kInvalidUsage};
    const OnDevice on(machine, call.comm->device);
    parts.emplace_back(machine.view(call.send, bytes, cuda::kInvalidValue), format);
  }
  const auto sum = std::make_shared<Sum>(parts, format);
  for (const Call& call : calls) {
    const OnDevice on(machine, call.comm->device);
    fake::Operation operation;
    operation.kind = "collective";
    operation.duration_ns = [=, ranks = call.comm->ranks](fake::Device& device) {
      return ring_ns(static_cast<double>(bytes), ranks, device.profile());
    };
    operation.effect = [&machine, call, bytes, sum] { machine.write(call.receive, bytes, sum); };
    machine.submit(machine.stream(call.stream), operation);
  }
}

void run(Machine& machine, const std::vector<Call>& calls) {
  // Calls of one clique, in order, are as many collectives as each rank made.
  std::map<std::uint64_t, std::vector<Call>> waiting;
  for (const Call& call : calls) {
    std::vector<Call>& ranks = waiting[call.comm->clique];
    ranks.push_back(call);
    if (ranks.size() < static_cast<std::size_t>(call.comm->ranks)) continue;
    reduce(machine, ranks);
    ranks.clear();
  }
  // A rank that nobody answers would wait for ever.
  for (const auto& [clique, rest] : waiting) {
    if (!rest.empty()) throw NcclFailure{kInvalidUsage};
  }
}

}  // namespace

int ncclGetVersion(int* version) {
  const fake::Version own = fake::library_version("GPUASSAY_FAKE_NCCL", {2, 21, 5});
  if (version == nullptr) return kInvalidArgument;
  *version = 10000 * own.major + 100 * own.minor + own.patch;
  return kSuccess;
}

const char* ncclGetErrorString(int status) {
  switch (status) {
    case kSuccess: return "no error";
    case kUnhandledCudaError: return "unhandled cuda error";
    case kInvalidArgument: return "invalid argument";
    case kInvalidUsage: return "invalid usage";
    default: return "internal error";
  }
}

const char* ncclGetLastError(Comm /*comm*/) { return ""; }

int ncclCommInitAll(Comm* comms, int device_count, const int* devices) {
  return nccl_call([&](Machine& machine) {
    if (comms == nullptr || device_count < 1) throw NcclFailure{kInvalidArgument};
    fake::initialize_runtime(machine);
    std::vector<int> chosen;
    chosen.reserve(static_cast<std::size_t>(device_count));
    for (int i = 0; i < device_count; ++i) chosen.push_back(devices == nullptr ? i : devices[i]);
    for (const int device : chosen) {
      machine.device(device);
      if (std::count(chosen.begin(), chosen.end(), device) > 1) throw NcclFailure{kInvalidUsage};
    }
    static std::uint64_t cliques = 0;
    ++cliques;
    for (int i = 0; i < device_count; ++i) {
      auto record = std::make_unique<CommRecord>();
      record->device = chosen.at(static_cast<std::size_t>(i));
      record->ranks = device_count;
      record->clique = cliques;
      comms[i] = machine.adopt(std::move(record));
    }
  });
}

int ncclCommDestroy(Comm comm) {
  return nccl_call([&](Machine& machine) { machine.release(comm); });
}

int ncclAllReduce(const void* send, void* receive, std::size_t count, int data_type, int operation, Comm comm,
                  cuda::Stream stream) {
  return nccl_call([&](Machine& machine) {
    if (operation != kSum) throw NcclFailure{kInvalidArgument};
    const Call call{&machine.checked(comm),
                    reinterpret_cast<std::uint64_t>(send),
                    reinterpret_cast<std::uint64_t>(receive),
                    count,
                    data_type,
                    stream};
    if (group().depth > 0) {
      group().calls.push_back(call);
    } else {
      run(machine, {call});
    }
  });
}

int ncclGroupStart() {
  ++group().depth;
  return kSuccess;
}

int ncclGroupEnd() {
  return nccl_call([&](Machine& machine) {
    Group& open = group();
    if (open.depth == 0) throw NcclFailure{kInvalidUsage};
    if (--open.depth > 0) return;
    const std::vector<Call> calls = std::move(open.calls);
    open.calls.clear();
    run(machine, calls);
  });
}

namespace {

/// Compiles only while the prototypes are those of the agent's table.
[[maybe_unused]] const Api kSamePrototypes{
    .ncclGetVersion = ncclGetVersion,
    .ncclGetErrorString = ncclGetErrorString,
    .ncclCommInitAll = ncclCommInitAll,
    .ncclCommDestroy = ncclCommDestroy,
    .ncclAllReduce = ncclAllReduce,
    .ncclGroupStart = ncclGroupStart,
    .ncclGroupEnd = ncclGroupEnd,
    .ncclGetLastError = ncclGetLastError,
};

}  // namespace
}  // namespace gpuassay::nccl
