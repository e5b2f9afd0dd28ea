// Which functions of the CUDA driver (libcuda.so.1, CUDA 11.0 and later) does gpuassay call, under which exact names?
// The declarations are our own so that building needs no CUDA header; a header maps plain names to ever newer versions,
// these never move. tests/component/cuda_driver_abi_test.cpp compares them with <cuda.h> where that is installed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <vector>

#include "agent/dynlib/function_table.h"
#include "agent/dynlib/library_candidates.h"
#include "agent/dynlib/shared_library.h"

namespace gpuassay::cuda {

inline constexpr const char* kSoname = "libcuda.so.1";

// ---- the ABI of the driver; enums travel as int ----
struct ContextRecord;
struct ModuleRecord;
struct FunctionRecord;
struct StreamRecord;
struct EventRecord;
struct GraphRecord;
struct GraphExecRecord;
struct GraphNodeRecord;
using Context = ContextRecord*;
using Module = ModuleRecord*;
using Function = FunctionRecord*;
using Stream = StreamRecord*;
using Event = EventRecord*;
using Graph = GraphRecord*;
using GraphExec = GraphExecRecord*;
using GraphNode = GraphNodeRecord*;
using Device = int;                   ///< a handle from cuDeviceGet, not an ordinal
using DevicePointer = std::uint64_t;  ///< address in the device's memory

struct Uuid {
  char bytes[16];
};

/// Status codes that gpuassay tells apart.
enum Result : int {
  kSuccess = 0,
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kNotInitialized = 3,
  kDeinitialized = 4,
  kStubLibrary = 34,
  kDeviceUnavailable = 46,
  kNoDevice = 100,
  kInvalidDevice = 101,
  kInvalidImage = 200,
  kInvalidContext = 201,
  kNoBinaryForGpu = 209,
  kEccUncorrectable = 214,
  kPeerAccessUnsupported = 217,
  kInvalidPtx = 218,
  kNvlinkUncorrectable = 220,
  kJitCompilerNotFound = 221,
  kUnsupportedPtxVersion = 222,
  kJitCompilationDisabled = 223,
  kInvalidHandle = 400,
  kNotFound = 500,
  kNotReady = 600,
  kIllegalAddress = 700,
  kLaunchOutOfResources = 701,
  kLaunchTimeout = 702,
  kPeerAccessAlreadyEnabled = 704,
  kIllegalInstruction = 715,
  kMisalignedAddress = 716,
  kLaunchFailed = 719,
  kNotPermitted = 800,
  kNotSupported = 801,
  kSystemNotReady = 802,
  kSystemDriverMismatch = 803,
  kCompatNotSupportedOnDevice = 804,
  kUnknownError = 999,
};

/// CUdevice_attribute. Clocks are kHz, sizes bytes, the bus width bits.
enum DeviceAttribute : int {
  kMaxThreadsPerBlock = 1,
  kMaxSharedMemoryPerBlock = 8,
  kWarpSize = 10,
  kClockRate = 13,
  kMultiprocessorCount = 16,
  kKernelExecTimeout = 17,
  kIntegrated = 18,
  kCanMapHostMemory = 19,
  kComputeMode = 20,
  kEccEnabled = 32,
  kPciBusId = 33,
  kPciDeviceId = 34,  ///< the slot's device number on its bus, not the PCI product id
  kMemoryClockRate = 36,
  kGlobalMemoryBusWidth = 37,
  kL2CacheSize = 38,
  kMaxThreadsPerMultiprocessor = 39,
  kAsyncEngineCount = 40,
  kUnifiedAddressing = 41,
  kPciDomainId = 50,
  kComputeCapabilityMajor = 75,
  kComputeCapabilityMinor = 76,
  kMaxSharedMemoryPerMultiprocessor = 81,
  kMaxSharedMemoryPerBlockOptin = 97,
};

enum ContextFlags : unsigned { kScheduleAuto = 0, kScheduleSpin = 1, kScheduleBlockingSync = 4 };
enum HostAllocFlags : unsigned { kHostAllocPortable = 1, kHostAllocDeviceMap = 2, kHostAllocWriteCombined = 4 };
enum StreamFlags : unsigned { kStreamDefault = 0, kStreamNonBlocking = 1 };
enum EventFlags : unsigned { kEventDefault = 0, kEventBlockingSync = 1, kEventDisableTiming = 2 };
enum FunctionAttribute : int {
  kFunctionMaxThreadsPerBlock = 0,
  kFunctionSharedBytes = 1,
  kFunctionLocalBytes = 3,
  kFunctionRegisters = 4,
  kFunctionPtxVersion = 5,     ///< 10 x major + minor of the virtual architecture
  kFunctionBinaryVersion = 6,  ///< 10 x major + minor of the real architecture
};
enum JitOption : int {
  kJitInfoLogBuffer = 3,
  kJitInfoLogBufferBytes = 4,
  kJitErrorLogBuffer = 5,
  kJitErrorLogBufferBytes = 6,
};
enum CaptureMode : int { kCaptureGlobal = 0, kCaptureThreadLocal = 1, kCaptureRelaxed = 2 };

/// The functions, under their exported names. Required ones are never null; optional ones may be.
struct Api {
  // required
  int (*cuInit)(unsigned flags) = nullptr;
  int (*cuDriverGetVersion)(int* version) = nullptr;  ///< 1000 x major + 10 x minor; works before cuInit
  int (*cuGetErrorName)(int result, const char** name) = nullptr;
  int (*cuGetErrorString)(int result, const char** text) = nullptr;
  int (*cuDeviceGetCount)(int* count) = nullptr;
  int (*cuDeviceGet)(Device* device, int ordinal) = nullptr;
  int (*cuDeviceGetName)(char* name, int size, Device) = nullptr;
  int (*cuDeviceGetAttribute)(int* value, int attribute, Device) = nullptr;
  int (*cuDeviceTotalMem_v2)(std::size_t* bytes, Device) = nullptr;
  int (*cuDeviceGetPCIBusId)(char* id, int size, Device) = nullptr;
  int (*cuDevicePrimaryCtxRetain)(Context* context, Device) = nullptr;
  int (*cuCtxSetCurrent)(Context) = nullptr;
  int (*cuCtxSynchronize)() = nullptr;
  int (*cuMemGetInfo_v2)(std::size_t* free_bytes, std::size_t* total_bytes) = nullptr;
  int (*cuMemAlloc_v2)(DevicePointer* pointer, std::size_t bytes) = nullptr;
  int (*cuMemFree_v2)(DevicePointer) = nullptr;
  int (*cuMemHostAlloc)(void** pointer, std::size_t bytes, unsigned flags) = nullptr;
  int (*cuMemFreeHost)(void*) = nullptr;
  int (*cuMemHostGetDevicePointer_v2)(DevicePointer* pointer, void* host, unsigned flags) = nullptr;
  int (*cuMemcpyDtoH_v2)(void* destination, DevicePointer source, std::size_t bytes) = nullptr;
  int (*cuMemcpyHtoDAsync_v2)(DevicePointer destination, const void* source, std::size_t bytes, Stream) = nullptr;
  int (*cuMemcpyDtoHAsync_v2)(void* destination, DevicePointer source, std::size_t bytes, Stream) = nullptr;
  int (*cuStreamCreate)(Stream* stream, unsigned flags) = nullptr;
  int (*cuStreamDestroy_v2)(Stream) = nullptr;
  int (*cuStreamSynchronize)(Stream) = nullptr;
  int (*cuStreamWaitEvent)(Stream, Event, unsigned flags) = nullptr;
  int (*cuEventCreate)(Event* event, unsigned flags) = nullptr;
  int (*cuEventDestroy_v2)(Event) = nullptr;
  int (*cuEventRecord)(Event, Stream) = nullptr;
  int (*cuEventSynchronize)(Event) = nullptr;
  int (*cuEventElapsedTime)(float* milliseconds, Event start, Event end) = nullptr;
  int (*cuModuleLoadData)(Module* module, const void* image) = nullptr;
  int (*cuModuleUnload)(Module) = nullptr;
  int (*cuModuleGetFunction)(Function* function, Module, const char* name) = nullptr;
  int (*cuLaunchKernel)(Function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,
                        unsigned block_z, unsigned shared_bytes, Stream, void** parameters, void** extra) = nullptr;
  // optional
  int (*cuDeviceGetUuid)(Uuid* uuid, Device) = nullptr;     ///< of the whole board, also below MIG
  int (*cuDeviceGetUuid_v2)(Uuid* uuid, Device) = nullptr;  ///< of the MIG instance; from CUDA 11.4
  int (*cuDevicePrimaryCtxRelease_v2)(Device) = nullptr;
  int (*cuDevicePrimaryCtxSetFlags_v2)(Device, unsigned flags) = nullptr;
  int (*cuFuncSetAttribute)(Function, int attribute, int value) = nullptr;
  int (*cuStreamBeginCapture_v2)(Stream, int mode) = nullptr;
  int (*cuStreamEndCapture)(Stream, Graph* graph) = nullptr;
  int (*cuGraphInstantiate_v2)(GraphExec* exec, Graph, GraphNode* error_node, char* log,
                               std::size_t log_bytes) = nullptr;
  int (*cuGraphInstantiateWithFlags)(GraphExec* exec, Graph, unsigned long long flags) = nullptr;
  int (*cuGraphGetNodes)(Graph, GraphNode* nodes, std::size_t* count) = nullptr;
  int (*cuGraphLaunch)(GraphExec, Stream) = nullptr;
  int (*cuGraphExecDestroy)(GraphExec) = nullptr;
  int (*cuGraphDestroy)(Graph) = nullptr;
  int (*cuDevicePrimaryCtxRelease)(Device) = nullptr;
  int (*cuMemcpyHtoD_v2)(DevicePointer destination, const void* source, std::size_t bytes) = nullptr;
  int (*cuMemcpyDtoDAsync_v2)(DevicePointer destination, DevicePointer source, std::size_t bytes, Stream) = nullptr;
  int (*cuDeviceCanAccessPeer)(int* can, Device, Device peer) = nullptr;
  int (*cuCtxEnablePeerAccess)(Context peer, unsigned flags) = nullptr;  ///< of the current context to `peer`
  int (*cuMemcpyPeerAsync)(DevicePointer destination, Context of_destination, DevicePointer source, Context of_source,
                           std::size_t bytes, Stream) = nullptr;
  int (*cuMemsetD8_v2)(DevicePointer, unsigned char value, std::size_t count) = nullptr;
  int (*cuMemsetD8Async)(DevicePointer, unsigned char value, std::size_t count, Stream) = nullptr;
  int (*cuMemsetD32Async)(DevicePointer, unsigned value, std::size_t count, Stream) = nullptr;
  int (*cuStreamQuery)(Stream) = nullptr;
  int (*cuEventQuery)(Event) = nullptr;
  int (*cuModuleLoadDataEx)(Module* module, const void* image, unsigned option_count, int* options,
                            void** values) = nullptr;
  int (*cuFuncGetAttribute)(int* value, int attribute, Function) = nullptr;
  int (*cuOccupancyMaxActiveBlocksPerMultiprocessor)(int* blocks, Function, int block_size,
                                                     std::size_t dynamic_shared_bytes) = nullptr;
};

/// Every exported name gpuassay asks for, in the order of Api.
std::vector<SymbolName> symbol_names();

/// An opened driver with its functions. Stays mapped for the life of the process: its threads do.
struct LoadedLibrary {
  SharedLibrary library;
  Api api;
  bool simulated = false;  ///< it exports `gpuassay_simulated`: a fake driver of the tests
};

/// Opens the driver at `candidate`; calls nothing in it. Only for child processes and the worker.
/// Throws Error{library_missing} when it is absent, does not load or lacks a required function.
LoadedLibrary load(const LibraryCandidate& candidate);

/// Throws unless `result` is kSuccess: Error{out_of_memory} for 2, Error{unsupported} for 801,
/// Error{library_failed} for the rest; the message carries `symbol`, the driver's own name and text for the code.
void check(const Api& api, int result, const char* symbol,
           std::source_location where = std::source_location::current());

}  // namespace gpuassay::cuda
