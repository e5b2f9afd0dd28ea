// Which functions of NCCL 2 (libnccl.so.2) does gpuassay call? Our own declarations, stable since 2.2;
// tests/component/nccl_abi_test.cpp compares them with <nccl.h>.
#pragma once

#include <cstddef>
#include <source_location>
#include <vector>

#include "agent/dynlib/cublas.h"
#include "agent/dynlib/function_table.h"
#include "agent/dynlib/library_candidates.h"
#include "agent/dynlib/library_version.h"
#include "agent/dynlib/shared_library.h"

namespace gpuassay::nccl {

inline constexpr const char* kSoname = "libnccl.so.2";

// ---- the ABI of NCCL; enums travel as int ----
struct CommRecord;
using Comm = CommRecord*;

enum Status : int {
  kSuccess = 0,
  kUnhandledCudaError = 1,
  kSystemError = 2,
  kInternalError = 3,
  kInvalidArgument = 4,
  kInvalidUsage = 5,
};
enum DataType : int { kInt8 = 0, kFloat16 = 6, kFloat32 = 7, kFloat64 = 8, kBfloat16 = 9 };
enum ReductionOperation : int { kSum = 0, kMax = 2 };

/// What the ranks of one communicator have in common; travels by value.
struct UniqueId {
  char internal[128];
};

/// The functions, under their exported names. Required ones are never null; optional ones may be.
struct Api {
  // required
  int (*ncclGetVersion)(int* version) = nullptr;  ///< works without a GPU
  const char* (*ncclGetErrorString)(int status) = nullptr;
  int (*ncclCommInitAll)(Comm* comms, int device_count, const int* devices) = nullptr;
  int (*ncclCommDestroy)(Comm) = nullptr;
  int (*ncclAllReduce)(const void* send, void* receive, std::size_t count, int data_type, int operation, Comm,
                       cuda::Stream) = nullptr;
  int (*ncclGroupStart)() = nullptr;
  int (*ncclGroupEnd)() = nullptr;
  // optional
  const char* (*ncclGetLastError)(Comm) = nullptr;  ///< from 2.13
  int (*ncclGetUniqueId)(UniqueId* id) = nullptr;
  int (*ncclCommInitRank)(Comm* comm, int ranks, UniqueId id, int rank) = nullptr;
  int (*ncclAllGather)(const void* send, void* receive, std::size_t send_count, int data_type, Comm,
                       cuda::Stream) = nullptr;
  int (*ncclReduceScatter)(const void* send, void* receive, std::size_t receive_count, int data_type, int operation,
                           Comm, cuda::Stream) = nullptr;
  int (*ncclSend)(const void* send, std::size_t count, int data_type, int peer, Comm, cuda::Stream) = nullptr;  ///< 2.7
  int (*ncclRecv)(void* receive, std::size_t count, int data_type, int peer, Comm, cuda::Stream) = nullptr;     ///< 2.7
};

/// Every exported name gpuassay asks for, in the order of Api.
std::vector<SymbolName> symbol_names();

struct LoadedLibrary {
  SharedLibrary library;
  Api api;
  LibraryVersion version;
};

/// The version behind NCCL's number: 1000 x major + 100 x minor + patch up to 2.8, 10000 x major after.
LibraryVersion version_from_number(int number);

/// Opens NCCL at `candidate` and asks for its version; needs no GPU. Stays mapped for the life of the process.
/// Throws Error{library_missing} when it is absent, does not load or lacks a required function,
/// Error{library_failed} when it does not tell its version.
LoadedLibrary load(const LibraryCandidate& candidate);

/// Throws Error{library_failed} unless `status` is kSuccess, with NCCL's own text.
void check(const Api& api, int status, const char* symbol,
           std::source_location where = std::source_location::current());

}  // namespace gpuassay::nccl
