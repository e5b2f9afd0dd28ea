// The exported functions of the fake libnccl.so.2; compared with the agent's table in nccl_api.cpp.
#pragma once

#include "agent/dynlib/nccl.h"

namespace gpuassay::nccl {
#pragma GCC visibility push(default)
extern "C" {
int ncclGetVersion(int* version);
const char* ncclGetErrorString(int status);
int ncclCommInitAll(Comm* comms, int device_count, const int* devices);
int ncclCommDestroy(Comm comm);
int ncclAllReduce(const void* send, void* receive, std::size_t count, int data_type, int operation, Comm comm,
                  cuda::Stream stream);
int ncclGetUniqueId(UniqueId* id);
int ncclCommInitRank(Comm* comm, int ranks, UniqueId id, int rank);
int ncclAllGather(const void* send, void* receive, std::size_t send_count, int data_type, Comm comm,
                  cuda::Stream stream);
int ncclReduceScatter(const void* send, void* receive, std::size_t receive_count, int data_type, int operation,
                      Comm comm, cuda::Stream stream);
int ncclSend(const void* send, std::size_t count, int data_type, int peer, Comm comm, cuda::Stream stream);
int ncclRecv(void* receive, std::size_t count, int data_type, int peer, Comm comm, cuda::Stream stream);
int ncclGroupStart();
int ncclGroupEnd();
const char* ncclGetLastError(Comm comm);
}
#pragma GCC visibility pop
}  // namespace gpuassay::nccl
