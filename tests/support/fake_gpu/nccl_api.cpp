// The fake libnccl.so.2: collectives among the devices of one process, or of one device in each of several.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "tests/support/fake_gpu/library.h"
#include "tests/support/fake_gpu/machine.h"
#include "tests/support/fake_gpu/nccl_exports.h"
#include "tests/support/fake_gpu/nccl_hub.h"
#include "tests/support/fake_gpu/nccl_outputs.h"
#include "tests/support/fake_gpu/on_device.h"

namespace gpuassay::nccl {

/// One rank; `clique` numbers the group it was made with.
struct CommRecord {
  int device = 0, rank = 0, ranks = 0;
  std::uint64_t clique = 0;
  std::shared_ptr<const fake::HubLine> hub = nullptr;  ///< where the others are in other processes
};

namespace {

using fake::Failure;
using fake::Machine;
using fake::NcclFailure;
using fake::NcclKind;
using fake::OnDevice;
using fake::Posted;
using fake::PostedGroup;

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
  CommRecord comm;
  NcclKind kind = NcclKind::all_reduce;
  std::uint64_t send = 0, receive = 0, count = 0;
  int data_type = kFloat32, operation = kSum, peer = -1;
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

/// All calls of one local rank within a group, and those of the other local ranks of its clique.
struct RankCalls {
  CommRecord comm;
  std::vector<Call> calls;
};
using CliqueCalls = std::map<int, RankCalls>;  ///< by rank

/// What every rank of the clique hands in, now; of ranks elsewhere it is asked for.
std::vector<PostedGroup> posted_by_all(Machine& machine, const CliqueCalls& clique) {
  const CommRecord& first = clique.begin()->second.comm;
  std::vector<PostedGroup> all(static_cast<std::size_t>(first.ranks));
  for (const auto& [rank, here] : clique) {
    const OnDevice on(machine, here.comm.device);
    for (const Call& call : here.calls) {
      Posted posted{call.kind, call.count, call.data_type, call.operation, call.peer, {}};
      const std::uint64_t bytes = fake::bytes_handed_in(posted, first.ranks);
      posted.part = machine.view(call.send, bytes, cuda::kInvalidValue);
      all.at(static_cast<std::size_t>(rank)).push_back(std::move(posted));
    }
  }
  if (first.hub) {
    const auto messages = first.hub->exchange(fake::packed(all.at(static_cast<std::size_t>(first.rank))));
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
      if (!clique.contains(static_cast<int>(rank))) all[rank] = fake::unpacked(messages.at(rank));
    }
  }
  return all;
}

/// Writes what one local rank gets.
void deliver(Machine& machine, const RankCalls& here, const std::vector<PostedGroup>& all) {
  const OnDevice on(machine, here.comm.device);
  const std::vector<fake::Output> outputs = fake::outputs_of(here.comm.rank, all);
  for (std::size_t i = 0; i < here.calls.size(); ++i) {
    for (const fake::OutputPart& part : outputs.at(i)) {
      // What an operation among processes agrees on is small, and right.
      constexpr std::uint64_t kSpoiledFrom = 4096;
      const bool spoiled = part.bytes >= kSpoiledFrom;
      const auto recipe =
          spoiled ? with_faults(machine, machine.device(here.comm.device), "collective", part.recipe, part.format)
                  : fake::RecipePointer(part.recipe);
      machine.write(here.calls[i].receive + part.offset, part.bytes, recipe);
    }
  }
}

/// A ring moves 2 (n - 1) / n of an all-reduce over each link, and half of that of everything else.
double ring_ns(const std::vector<Call>& calls, const fake::GpuProfile& gpu) {
  constexpr double kLinkShare = 0.4, kPcieGeneration3 = 12.0, kStartNs = 10'000;
  const double pcie = kPcieGeneration3 * (1 << std::max(0, gpu.pcie_generation - 3));
  const double gb_per_s = gpu.nvlink_gb_per_s > 0 ? gpu.nvlink_gb_per_s * kLinkShare : pcie * 0.8;
  double bytes = 0;
  for (const Call& call : calls) {
    const double message = static_cast<double>(call.count) * fake::bytes_of_type(call.data_type);
    const double others = call.comm.ranks - 1;
    switch (call.kind) {
      case NcclKind::all_reduce: bytes += 2 * message * others / call.comm.ranks; break;
      case NcclKind::all_gather:
      case NcclKind::reduce_scatter: bytes += message * others; break;
      case NcclKind::send: bytes += call.peer == call.comm.rank ? 0 : message; break;
      case NcclKind::receive: break;
    }
  }
  return kStartNs + bytes / gb_per_s;
}

/// One operation on the stream of each local rank. What is recorded looks at memory when the graph runs, and so again
/// each time.
void run_clique(Machine& machine, const CliqueCalls& clique) {
  const auto recorded = [&](const RankCalls& here) {
    const OnDevice on(machine, here.comm.device);
    return machine.stream(here.calls.front().stream).capture.has_value();
  };
  const bool in_graph = recorded(clique.begin()->second);
  for (const auto& [rank, here] : clique) {
    if (recorded(here) != in_graph) throw NcclFailure{kInvalidUsage};
  }
  std::vector<PostedGroup> now;
  if (!in_graph) {
    now = posted_by_all(machine, clique);
    fake::require_matching(now);
  }
  for (const auto& [rank, here] : clique) {
    const OnDevice on(machine, here.comm.device);
    fake::Operation operation;
    operation.kind = "collective";
    operation.duration_ns = [calls = here.calls](fake::Device& device) { return ring_ns(calls, device.profile()); };
    operation.effect = [&machine, clique, here = here, now, in_graph] {
      deliver(machine, here, in_graph ? posted_by_all(machine, clique) : now);
    };
    machine.submit(machine.stream(here.calls.front().stream), operation);
  }
}

void run(Machine& machine, const std::vector<Call>& calls) {
  std::map<std::uint64_t, CliqueCalls> cliques;
  for (const Call& call : calls) {
    RankCalls& here = cliques[call.comm.clique][call.comm.rank];
    here.comm = call.comm;
    here.calls.push_back(call);
  }
  for (const auto& [number, clique] : cliques) {
    const CommRecord& first = clique.begin()->second.comm;
    // A rank that nobody answers would wait for ever.
    if (!first.hub && clique.size() != static_cast<std::size_t>(first.ranks)) throw NcclFailure{kInvalidUsage};
    run_clique(machine, clique);
  }
}

int post(const Call& call, Comm comm) {
  return nccl_call([&](Machine& machine) {
    Call posted = call;
    posted.comm = machine.checked(comm);
    (void)fake::bytes_of_type(call.data_type);  // refuses what it does not know
    const bool to_peer = call.kind == NcclKind::send || call.kind == NcclKind::receive;
    if (to_peer && (call.peer < 0 || call.peer >= posted.comm.ranks)) throw NcclFailure{kInvalidArgument};
    if (call.operation != kSum && call.operation != kMax) throw NcclFailure{kInvalidArgument};
    if (group().depth > 0) {
      group().calls.push_back(posted);
    } else {
      run(machine, {posted});
    }
  });
}

std::uint64_t address(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

std::uint64_t next_clique() {
  static std::uint64_t cliques = 0;
  return ++cliques;
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
    const std::uint64_t clique = next_clique();
    for (int i = 0; i < device_count; ++i) {
      comms[i] = machine.adopt(std::make_unique<CommRecord>(
          CommRecord{chosen.at(static_cast<std::size_t>(i)), i, device_count, clique, nullptr}));
    }
  });
}

int ncclGetUniqueId(UniqueId* id) {
  return nccl_call([&](Machine& /*machine*/) {
    if (id == nullptr) throw NcclFailure{kInvalidArgument};
    const std::string hub = fake::start_hub();
    *id = {};
    std::memcpy(id->internal, hub.c_str(), hub.size());
  });
}

int ncclCommInitRank(Comm* comm, int ranks, UniqueId id, int rank) {
  return nccl_call([&](Machine& machine) {
    if (comm == nullptr || ranks < 1 || rank < 0 || rank >= ranks) throw NcclFailure{kInvalidArgument};
    fake::initialize_runtime(machine);
    const int device = machine.current().ordinal();
    id.internal[sizeof id.internal - 1] = 0;
    *comm = machine.adopt(std::make_unique<CommRecord>(CommRecord{
        device, rank, ranks, next_clique(), std::make_shared<const fake::HubLine>(id.internal, ranks, rank)}));
  });
}

int ncclCommDestroy(Comm comm) {
  return nccl_call([&](Machine& machine) { machine.release(comm); });
}

int ncclAllReduce(const void* send, void* receive, std::size_t count, int data_type, int operation, Comm comm,
                  cuda::Stream stream) {
  return post({{}, NcclKind::all_reduce, address(send), address(receive), count, data_type, operation, -1, stream},
              comm);
}

int ncclAllGather(const void* send, void* receive, std::size_t send_count, int data_type, Comm comm,
                  cuda::Stream stream) {
  return post({{}, NcclKind::all_gather, address(send), address(receive), send_count, data_type, kSum, -1, stream},
              comm);
}

int ncclReduceScatter(const void* send, void* receive, std::size_t receive_count, int data_type, int operation,
                      Comm comm, cuda::Stream stream) {
  return post(
      {{}, NcclKind::reduce_scatter, address(send), address(receive), receive_count, data_type, operation, -1, stream},
      comm);
}

int ncclSend(const void* send, std::size_t count, int data_type, int peer, Comm comm, cuda::Stream stream) {
  return post({{}, NcclKind::send, address(send), 0, count, data_type, kSum, peer, stream}, comm);
}

int ncclRecv(void* receive, std::size_t count, int data_type, int peer, Comm comm, cuda::Stream stream) {
  return post({{}, NcclKind::receive, 0, address(receive), count, data_type, kSum, peer, stream}, comm);
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
    .ncclGetUniqueId = ncclGetUniqueId,
    .ncclCommInitRank = ncclCommInitRank,
    .ncclAllGather = ncclAllGather,
    .ncclReduceScatter = ncclReduceScatter,
    .ncclSend = ncclSend,
    .ncclRecv = ncclRecv,
};

}  // namespace
}  // namespace gpuassay::nccl
