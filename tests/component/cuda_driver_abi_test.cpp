// Compile-only: our declarations of the CUDA driver's ABI are those of <cuda.h>. Built once per set of headers found.
// With this the header declares every version under its own name instead of mapping plain names to the newest.
// NVIDIA's own switch: with it <cuda.h> declares every version of a function under its exported name.
#define __CUDA_API_VERSION_INTERNAL  // NOLINT(bugprone-reserved-identifier): the header chose the name
#include <cuda.h>
#include <gtest/gtest.h>

#include <cstddef>

#include "agent/dynlib/cuda_driver.h"
#include "tests/support/same_signature.h"

namespace gpuassay::cuda {
namespace {

template <auto kOurMember, class Theirs>
constexpr bool kSame = test::kSameSignature<Api, kOurMember, Theirs>;
using test::kSameLayout;

static_assert(kSame<&Api::cuInit, decltype(&::cuInit)>);
static_assert(kSame<&Api::cuDriverGetVersion, decltype(&::cuDriverGetVersion)>);
static_assert(kSame<&Api::cuGetErrorName, decltype(&::cuGetErrorName)>);
static_assert(kSame<&Api::cuGetErrorString, decltype(&::cuGetErrorString)>);
static_assert(kSame<&Api::cuDeviceGetCount, decltype(&::cuDeviceGetCount)>);
static_assert(kSame<&Api::cuDeviceGet, decltype(&::cuDeviceGet)>);
static_assert(kSame<&Api::cuDeviceGetName, decltype(&::cuDeviceGetName)>);
static_assert(kSame<&Api::cuDeviceGetAttribute, decltype(&::cuDeviceGetAttribute)>);
static_assert(kSame<&Api::cuDeviceTotalMem_v2, decltype(&::cuDeviceTotalMem_v2)>);
static_assert(kSame<&Api::cuDeviceGetPCIBusId, decltype(&::cuDeviceGetPCIBusId)>);
static_assert(kSame<&Api::cuDevicePrimaryCtxRetain, decltype(&::cuDevicePrimaryCtxRetain)>);
static_assert(kSame<&Api::cuDevicePrimaryCtxRelease, decltype(&::cuDevicePrimaryCtxRelease)>);
static_assert(kSame<&Api::cuCtxSetCurrent, decltype(&::cuCtxSetCurrent)>);
static_assert(kSame<&Api::cuCtxSynchronize, decltype(&::cuCtxSynchronize)>);
static_assert(kSame<&Api::cuMemGetInfo_v2, decltype(&::cuMemGetInfo_v2)>);
static_assert(kSame<&Api::cuMemAlloc_v2, decltype(&::cuMemAlloc_v2)>);
static_assert(kSame<&Api::cuMemFree_v2, decltype(&::cuMemFree_v2)>);
static_assert(kSame<&Api::cuMemHostAlloc, decltype(&::cuMemHostAlloc)>);
static_assert(kSame<&Api::cuMemFreeHost, decltype(&::cuMemFreeHost)>);
static_assert(kSame<&Api::cuMemHostGetDevicePointer_v2, decltype(&::cuMemHostGetDevicePointer_v2)>);
static_assert(kSame<&Api::cuMemcpyHtoD_v2, decltype(&::cuMemcpyHtoD_v2)>);
static_assert(kSame<&Api::cuMemcpyDtoH_v2, decltype(&::cuMemcpyDtoH_v2)>);
static_assert(kSame<&Api::cuMemcpyHtoDAsync_v2, decltype(&::cuMemcpyHtoDAsync_v2)>);
static_assert(kSame<&Api::cuMemcpyDtoHAsync_v2, decltype(&::cuMemcpyDtoHAsync_v2)>);
static_assert(kSame<&Api::cuDeviceCanAccessPeer, decltype(&::cuDeviceCanAccessPeer)>);
static_assert(kSame<&Api::cuCtxEnablePeerAccess, decltype(&::cuCtxEnablePeerAccess)>);
static_assert(kSame<&Api::cuMemcpyPeerAsync, decltype(&::cuMemcpyPeerAsync)>);
static_assert(kSame<&Api::cuMemcpyDtoDAsync_v2, decltype(&::cuMemcpyDtoDAsync_v2)>);
static_assert(kSame<&Api::cuMemsetD8_v2, decltype(&::cuMemsetD8_v2)>);
static_assert(kSame<&Api::cuMemsetD8Async, decltype(&::cuMemsetD8Async)>);
static_assert(kSame<&Api::cuMemsetD32Async, decltype(&::cuMemsetD32Async)>);
static_assert(kSame<&Api::cuStreamCreate, decltype(&::cuStreamCreate)>);
static_assert(kSame<&Api::cuStreamDestroy_v2, decltype(&::cuStreamDestroy_v2)>);
static_assert(kSame<&Api::cuStreamSynchronize, decltype(&::cuStreamSynchronize)>);
static_assert(kSame<&Api::cuStreamQuery, decltype(&::cuStreamQuery)>);
static_assert(kSame<&Api::cuStreamWaitEvent, decltype(&::cuStreamWaitEvent)>);
static_assert(kSame<&Api::cuEventCreate, decltype(&::cuEventCreate)>);
static_assert(kSame<&Api::cuEventDestroy_v2, decltype(&::cuEventDestroy_v2)>);
static_assert(kSame<&Api::cuEventRecord, decltype(&::cuEventRecord)>);
static_assert(kSame<&Api::cuEventQuery, decltype(&::cuEventQuery)>);
static_assert(kSame<&Api::cuEventSynchronize, decltype(&::cuEventSynchronize)>);
static_assert(kSame<&Api::cuEventElapsedTime, decltype(&::cuEventElapsedTime)>);
static_assert(kSame<&Api::cuModuleLoadData, decltype(&::cuModuleLoadData)>);
static_assert(kSame<&Api::cuModuleLoadDataEx, decltype(&::cuModuleLoadDataEx)>);
static_assert(kSame<&Api::cuModuleUnload, decltype(&::cuModuleUnload)>);
static_assert(kSame<&Api::cuModuleGetFunction, decltype(&::cuModuleGetFunction)>);
static_assert(kSame<&Api::cuFuncGetAttribute, decltype(&::cuFuncGetAttribute)>);
static_assert(
    kSame<&Api::cuOccupancyMaxActiveBlocksPerMultiprocessor, decltype(&::cuOccupancyMaxActiveBlocksPerMultiprocessor)>);
static_assert(kSame<&Api::cuLaunchKernel, decltype(&::cuLaunchKernel)>);
static_assert(kSame<&Api::cuDeviceGetUuid, decltype(&::cuDeviceGetUuid)>);
static_assert(kSame<&Api::cuDeviceGetUuid_v2, decltype(&::cuDeviceGetUuid_v2)>);
static_assert(kSame<&Api::cuDevicePrimaryCtxRelease_v2, decltype(&::cuDevicePrimaryCtxRelease_v2)>);
static_assert(kSame<&Api::cuDevicePrimaryCtxSetFlags_v2, decltype(&::cuDevicePrimaryCtxSetFlags_v2)>);
static_assert(kSame<&Api::cuFuncSetAttribute, decltype(&::cuFuncSetAttribute)>);
static_assert(kSame<&Api::cuStreamBeginCapture_v2, decltype(&::cuStreamBeginCapture_v2)>);
static_assert(kSame<&Api::cuStreamEndCapture, decltype(&::cuStreamEndCapture)>);
static_assert(kSame<&Api::cuGraphInstantiate_v2, decltype(&::cuGraphInstantiate_v2)>);
static_assert(kSame<&Api::cuGraphInstantiateWithFlags, decltype(&::cuGraphInstantiateWithFlags)>);
static_assert(kSame<&Api::cuGraphLaunch, decltype(&::cuGraphLaunch)>);
static_assert(kSame<&Api::cuGraphExecDestroy, decltype(&::cuGraphExecDestroy)>);
static_assert(kSame<&Api::cuGraphGetNodes, decltype(&::cuGraphGetNodes)>);
static_assert(kSame<&Api::cuGraphDestroy, decltype(&::cuGraphDestroy)>);
// The comparison itself can fail.
static_assert(!kSame<&Api::cuMemAlloc_v2, decltype(&::cuMemFree_v2)>);
static_assert(!kSame<&Api::cuGraphInstantiateWithFlags, decltype(&::cuGraphInstantiate_v2)>);

static_assert(sizeof(Device) == sizeof(CUdevice) && sizeof(DevicePointer) == sizeof(CUdeviceptr));
static_assert(kSameLayout<Uuid, CUuuid>);
static_assert(int{kSuccess} == CUDA_SUCCESS);
static_assert(int{kInvalidValue} == CUDA_ERROR_INVALID_VALUE);
static_assert(int{kOutOfMemory} == CUDA_ERROR_OUT_OF_MEMORY);
static_assert(int{kNotInitialized} == CUDA_ERROR_NOT_INITIALIZED);
static_assert(int{kDeinitialized} == CUDA_ERROR_DEINITIALIZED);
static_assert(int{kStubLibrary} == CUDA_ERROR_STUB_LIBRARY);
static_assert(int{kDeviceUnavailable} == CUDA_ERROR_DEVICE_UNAVAILABLE);
static_assert(int{kNoDevice} == CUDA_ERROR_NO_DEVICE);
static_assert(int{kInvalidDevice} == CUDA_ERROR_INVALID_DEVICE);
static_assert(int{kInvalidImage} == CUDA_ERROR_INVALID_IMAGE);
static_assert(int{kInvalidContext} == CUDA_ERROR_INVALID_CONTEXT);
static_assert(int{kNoBinaryForGpu} == CUDA_ERROR_NO_BINARY_FOR_GPU);
static_assert(int{kEccUncorrectable} == CUDA_ERROR_ECC_UNCORRECTABLE);
static_assert(int{kNvlinkUncorrectable} == CUDA_ERROR_NVLINK_UNCORRECTABLE);
static_assert(int{kInvalidPtx} == CUDA_ERROR_INVALID_PTX);
static_assert(int{kJitCompilerNotFound} == CUDA_ERROR_JIT_COMPILER_NOT_FOUND);
static_assert(int{kUnsupportedPtxVersion} == CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
static_assert(int{kJitCompilationDisabled} == CUDA_ERROR_JIT_COMPILATION_DISABLED);
static_assert(int{kInvalidHandle} == CUDA_ERROR_INVALID_HANDLE);
static_assert(int{kNotFound} == CUDA_ERROR_NOT_FOUND);
static_assert(int{kNotReady} == CUDA_ERROR_NOT_READY);
static_assert(int{kIllegalAddress} == CUDA_ERROR_ILLEGAL_ADDRESS);
static_assert(int{kLaunchOutOfResources} == CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES);
static_assert(int{kLaunchTimeout} == CUDA_ERROR_LAUNCH_TIMEOUT);
static_assert(int{kIllegalInstruction} == CUDA_ERROR_ILLEGAL_INSTRUCTION);
static_assert(int{kMisalignedAddress} == CUDA_ERROR_MISALIGNED_ADDRESS);
static_assert(int{kLaunchFailed} == CUDA_ERROR_LAUNCH_FAILED);
static_assert(int{kNotPermitted} == CUDA_ERROR_NOT_PERMITTED);
static_assert(int{kNotSupported} == CUDA_ERROR_NOT_SUPPORTED);
static_assert(int{kSystemNotReady} == CUDA_ERROR_SYSTEM_NOT_READY);
static_assert(int{kSystemDriverMismatch} == CUDA_ERROR_SYSTEM_DRIVER_MISMATCH);
static_assert(int{kCompatNotSupportedOnDevice} == CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE);
static_assert(int{kUnknownError} == CUDA_ERROR_UNKNOWN);
static_assert(int{kMaxThreadsPerBlock} == CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
static_assert(int{kMaxSharedMemoryPerBlock} == CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK);
static_assert(int{kWarpSize} == CU_DEVICE_ATTRIBUTE_WARP_SIZE);
static_assert(int{kClockRate} == CU_DEVICE_ATTRIBUTE_CLOCK_RATE);
static_assert(int{kMultiprocessorCount} == CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
static_assert(int{kKernelExecTimeout} == CU_DEVICE_ATTRIBUTE_KERNEL_EXEC_TIMEOUT);
static_assert(int{kIntegrated} == CU_DEVICE_ATTRIBUTE_INTEGRATED);
static_assert(int{kCanMapHostMemory} == CU_DEVICE_ATTRIBUTE_CAN_MAP_HOST_MEMORY);
static_assert(int{kComputeMode} == CU_DEVICE_ATTRIBUTE_COMPUTE_MODE);
static_assert(int{kEccEnabled} == CU_DEVICE_ATTRIBUTE_ECC_ENABLED);
static_assert(int{kPciBusId} == CU_DEVICE_ATTRIBUTE_PCI_BUS_ID);
static_assert(int{kPciDeviceId} == CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID);
static_assert(int{kMemoryClockRate} == CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE);
static_assert(int{kGlobalMemoryBusWidth} == CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH);
static_assert(int{kL2CacheSize} == CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE);
static_assert(int{kMaxThreadsPerMultiprocessor} == CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR);
static_assert(int{kAsyncEngineCount} == CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT);
static_assert(int{kUnifiedAddressing} == CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING);
static_assert(int{kPciDomainId} == CU_DEVICE_ATTRIBUTE_PCI_DOMAIN_ID);
static_assert(int{kComputeCapabilityMajor} == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
static_assert(int{kComputeCapabilityMinor} == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
static_assert(int{kMaxSharedMemoryPerMultiprocessor} == CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR);
static_assert(int{kMaxSharedMemoryPerBlockOptin} == CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
static_assert(unsigned{kScheduleAuto} == CU_CTX_SCHED_AUTO);
static_assert(unsigned{kScheduleSpin} == CU_CTX_SCHED_SPIN);
static_assert(unsigned{kScheduleBlockingSync} == CU_CTX_SCHED_BLOCKING_SYNC);
static_assert(unsigned{kHostAllocPortable} == CU_MEMHOSTALLOC_PORTABLE);
static_assert(unsigned{kHostAllocDeviceMap} == CU_MEMHOSTALLOC_DEVICEMAP);
static_assert(unsigned{kHostAllocWriteCombined} == CU_MEMHOSTALLOC_WRITECOMBINED);
static_assert(unsigned{kStreamDefault} == CU_STREAM_DEFAULT);
static_assert(unsigned{kStreamNonBlocking} == CU_STREAM_NON_BLOCKING);
static_assert(unsigned{kEventDefault} == CU_EVENT_DEFAULT);
static_assert(unsigned{kEventBlockingSync} == CU_EVENT_BLOCKING_SYNC);
static_assert(unsigned{kEventDisableTiming} == CU_EVENT_DISABLE_TIMING);
static_assert(int{kFunctionMaxThreadsPerBlock} == CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
static_assert(int{kFunctionSharedBytes} == CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES);
static_assert(int{kFunctionLocalBytes} == CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES);
static_assert(int{kFunctionRegisters} == CU_FUNC_ATTRIBUTE_NUM_REGS);
static_assert(int{kFunctionPtxVersion} == CU_FUNC_ATTRIBUTE_PTX_VERSION);
static_assert(int{kFunctionBinaryVersion} == CU_FUNC_ATTRIBUTE_BINARY_VERSION);
static_assert(int{kJitInfoLogBuffer} == CU_JIT_INFO_LOG_BUFFER);
static_assert(int{kJitInfoLogBufferBytes} == CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES);
static_assert(int{kJitErrorLogBuffer} == CU_JIT_ERROR_LOG_BUFFER);
static_assert(int{kJitErrorLogBufferBytes} == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES);
static_assert(int{kCaptureGlobal} == CU_STREAM_CAPTURE_MODE_GLOBAL);
static_assert(int{kCaptureThreadLocal} == CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
static_assert(int{kCaptureRelaxed} == CU_STREAM_CAPTURE_MODE_RELAXED);

TEST(CudaDriverAbi, DeclarationsWereComparedWhenThisFileWasCompiled) {
  EXPECT_GE(CUDA_VERSION, 11000);
  RecordProperty("CUDA_VERSION", CUDA_VERSION);
}

}  // namespace
}  // namespace gpuassay::cuda
