// The exported functions of the fake libcuda.so.1. Their prototypes are compared with the agent's table in
// driver_prototypes.cpp: a difference does not compile.
#pragma once

#include "agent/dynlib/cuda_driver.h"

namespace gpuassay::cuda {
#pragma GCC visibility push(default)
extern "C" {
int gpuassay_simulated();
/// Forgets everything and reads the environment again; for tests of several set-ups in one process.
int gpuassay_fake_reset();
int cuInit(unsigned flags);
int cuDriverGetVersion(int* version);
int cuGetErrorName(int result, const char** name);
int cuGetErrorString(int result, const char** text);
int cuDeviceGetCount(int* count);
int cuDeviceGet(Device* device, int ordinal);
int cuDeviceGetName(char* name, int size, Device device);
int cuDeviceGetAttribute(int* value, int attribute, Device device);
int cuDeviceTotalMem_v2(std::size_t* bytes, Device device);
int cuDeviceGetPCIBusId(char* id, int size, Device device);
int cuDeviceGetUuid(Uuid* uuid, Device device);
int cuDeviceGetUuid_v2(Uuid* uuid, Device device);
int cuDevicePrimaryCtxRetain(Context* context, Device device);
int cuDevicePrimaryCtxRelease(Device device);
int cuDevicePrimaryCtxRelease_v2(Device device);
int cuDevicePrimaryCtxSetFlags_v2(Device device, unsigned flags);
int cuCtxSetCurrent(Context context);
int cuCtxSynchronize();
int cuMemGetInfo_v2(std::size_t* free_bytes, std::size_t* total_bytes);
int cuMemAlloc_v2(DevicePointer* pointer, std::size_t bytes);
int cuMemFree_v2(DevicePointer pointer);
int cuMemHostAlloc(void** pointer, std::size_t bytes, unsigned flags);
int cuMemFreeHost(void* pointer);
int cuMemHostGetDevicePointer_v2(DevicePointer* pointer, void* host, unsigned flags);
int cuMemcpyHtoD_v2(DevicePointer destination, const void* source, std::size_t bytes);
int cuMemcpyDtoH_v2(void* destination, DevicePointer source, std::size_t bytes);
int cuMemcpyHtoDAsync_v2(DevicePointer destination, const void* source, std::size_t bytes, Stream stream);
int cuMemcpyDtoHAsync_v2(void* destination, DevicePointer source, std::size_t bytes, Stream stream);
int cuMemcpyDtoDAsync_v2(DevicePointer destination, DevicePointer source, std::size_t bytes, Stream stream);
int cuDeviceCanAccessPeer(int* can, Device device, Device peer);
int cuCtxEnablePeerAccess(Context peer, unsigned flags);
int cuMemcpyPeerAsync(DevicePointer destination, Context of_destination, DevicePointer source, Context of_source,
                      std::size_t bytes, Stream stream);
int cuMemsetD8_v2(DevicePointer pointer, unsigned char value, std::size_t count);
int cuMemsetD8Async(DevicePointer pointer, unsigned char value, std::size_t count, Stream stream);
int cuMemsetD32Async(DevicePointer pointer, unsigned value, std::size_t count, Stream stream);
int cuStreamCreate(Stream* stream, unsigned flags);
int cuStreamDestroy_v2(Stream stream);
int cuStreamSynchronize(Stream stream);
int cuStreamQuery(Stream stream);
int cuStreamWaitEvent(Stream stream, Event event, unsigned flags);
int cuEventCreate(Event* event, unsigned flags);
int cuEventDestroy_v2(Event event);
int cuEventRecord(Event event, Stream stream);
int cuEventQuery(Event event);
int cuEventSynchronize(Event event);
int cuEventElapsedTime(float* milliseconds, Event start, Event end);
int cuModuleLoadData(Module* module, const void* image);
int cuModuleLoadDataEx(Module* module, const void* image, unsigned option_count, int* options, void** values);
int cuModuleUnload(Module module);
int cuModuleGetFunction(Function* function, Module module, const char* name);
int cuFuncGetAttribute(int* value, int attribute, Function function);
int cuFuncSetAttribute(Function function, int attribute, int value);
int cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Function function, int block_size,
                                                std::size_t dynamic_shared_bytes);
int cuLaunchKernel(Function function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                   unsigned block_y, unsigned block_z, unsigned shared_bytes, Stream stream, void** parameters,
                   void** extra);
int cuStreamBeginCapture_v2(Stream stream, int mode);
int cuStreamEndCapture(Stream stream, Graph* graph);
int cuGraphInstantiate_v2(GraphExec* exec, Graph graph, GraphNode* error_node, char* log, std::size_t log_bytes);
int cuGraphInstantiateWithFlags(GraphExec* exec, Graph graph, unsigned long long flags);
int cuGraphLaunch(GraphExec exec, Stream stream);
int cuGraphExecDestroy(GraphExec exec);
int cuGraphGetNodes(Graph graph, GraphNode* nodes, std::size_t* count);
int cuGraphDestroy(Graph graph);
}
#pragma GCC visibility pop
}  // namespace gpuassay::cuda
