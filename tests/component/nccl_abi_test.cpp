// Compile-only: our declarations of NCCL's ABI are those of <nccl.h>. Built once per set of headers found.
#include <gtest/gtest.h>
#include <nccl.h>

#include "agent/dynlib/nccl.h"
#include "tests/support/same_signature.h"

namespace gpuassay::nccl {
namespace {

template <auto kOurMember, class Theirs>
constexpr bool kSame = test::kSameSignature<Api, kOurMember, Theirs>;

static_assert(kSame<&Api::ncclGetVersion, decltype(&::ncclGetVersion)>);
static_assert(kSame<&Api::ncclGetErrorString, decltype(&::ncclGetErrorString)>);
static_assert(kSame<&Api::ncclCommInitAll, decltype(&::ncclCommInitAll)>);
static_assert(kSame<&Api::ncclCommDestroy, decltype(&::ncclCommDestroy)>);
static_assert(kSame<&Api::ncclAllReduce, decltype(&::ncclAllReduce)>);
static_assert(kSame<&Api::ncclGroupStart, decltype(&::ncclGroupStart)>);
static_assert(kSame<&Api::ncclGroupEnd, decltype(&::ncclGroupEnd)>);
static_assert(kSame<&Api::ncclGetLastError, decltype(&::ncclGetLastError)>);
static_assert(kSame<&Api::ncclGetUniqueId, decltype(&::ncclGetUniqueId)>);
static_assert(kSame<&Api::ncclCommInitRank, decltype(&::ncclCommInitRank)>);
static_assert(kSame<&Api::ncclAllGather, decltype(&::ncclAllGather)>);
static_assert(kSame<&Api::ncclReduceScatter, decltype(&::ncclReduceScatter)>);
#if NCCL_VERSION_CODE >= 2700
static_assert(kSame<&Api::ncclSend, decltype(&::ncclSend)>);
static_assert(kSame<&Api::ncclRecv, decltype(&::ncclRecv)>);
#endif
// The comparison itself can fail.
static_assert(!kSame<&Api::ncclAllReduce, decltype(&::ncclCommDestroy)>);

static_assert(int{kSuccess} == ncclSuccess);
static_assert(int{kUnhandledCudaError} == ncclUnhandledCudaError);
static_assert(int{kSystemError} == ncclSystemError);
static_assert(int{kInternalError} == ncclInternalError);
static_assert(int{kInvalidArgument} == ncclInvalidArgument);
static_assert(int{kInvalidUsage} == ncclInvalidUsage);
static_assert(int{kInt8} == ncclInt8);
static_assert(int{kFloat16} == ncclFloat16);
static_assert(int{kFloat32} == ncclFloat32);
static_assert(int{kFloat64} == ncclFloat64);
#if NCCL_VERSION_CODE >= 21000
static_assert(int{kBfloat16} == ncclBfloat16);
#endif
static_assert(int{kSum} == ncclSum);
static_assert(int{kMax} == ncclMax);
static_assert(sizeof(UniqueId) == sizeof(ncclUniqueId) && NCCL_UNIQUE_ID_BYTES == 128);

TEST(NcclAbi, TheHeadersVersionIsReadTheSameWay) {
  EXPECT_EQ(version_from_number(NCCL_VERSION_CODE), (LibraryVersion{NCCL_MAJOR, NCCL_MINOR, NCCL_PATCH}));
}

}  // namespace
}  // namespace gpuassay::nccl
