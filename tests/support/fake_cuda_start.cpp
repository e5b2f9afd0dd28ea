// A libcuda.so.1 that starts, or fails to, for tests of finding the driver: FAKE_CUDA_VERSION is what it tells,
// FAKE_INIT what cuInit returns, FAKE_DEVICES the number of devices. Everything else gpuassay requires is there and
// refuses.
#define EXPORT(name) \
  int name() { return 3; }

extern "C" {
int gpuassay_simulated = 1;
int cuInit(unsigned /*flags*/) { return FAKE_INIT; }
int cuDriverGetVersion(int* version) {
  *version = FAKE_CUDA_VERSION;
  return 0;
}
int cuDeviceGetCount(int* count) {
  *count = FAKE_DEVICES;
  return 0;
}
int cuGetErrorName(int result, const char** name) {
  *name = result == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : nullptr;
  return result == 2 ? 0 : 1;
}
int cuGetErrorString(int result, const char** text) {
  *text = result == 2 ? "out of memory" : nullptr;
  return result == 2 ? 0 : 1;
}
EXPORT(cuDeviceGet)
EXPORT(cuDeviceGetName)
EXPORT(cuDeviceGetAttribute)
EXPORT(cuDeviceTotalMem_v2)
EXPORT(cuDeviceGetPCIBusId)
EXPORT(cuDevicePrimaryCtxRetain)
EXPORT(cuDevicePrimaryCtxRelease)
EXPORT(cuCtxSetCurrent)
EXPORT(cuCtxSynchronize)
EXPORT(cuMemGetInfo_v2)
EXPORT(cuMemAlloc_v2)
EXPORT(cuMemFree_v2)
EXPORT(cuMemHostAlloc)
EXPORT(cuMemFreeHost)
EXPORT(cuMemHostGetDevicePointer_v2)
EXPORT(cuMemcpyHtoD_v2)
EXPORT(cuMemcpyDtoH_v2)
EXPORT(cuMemcpyHtoDAsync_v2)
EXPORT(cuMemcpyDtoHAsync_v2)
EXPORT(cuMemcpyDtoDAsync_v2)
EXPORT(cuMemsetD8_v2)
EXPORT(cuMemsetD8Async)
EXPORT(cuMemsetD32Async)
EXPORT(cuStreamCreate)
EXPORT(cuStreamDestroy_v2)
EXPORT(cuStreamSynchronize)
EXPORT(cuStreamQuery)
EXPORT(cuStreamWaitEvent)
EXPORT(cuEventCreate)
EXPORT(cuEventDestroy_v2)
EXPORT(cuEventRecord)
EXPORT(cuEventQuery)
EXPORT(cuEventSynchronize)
EXPORT(cuEventElapsedTime)
EXPORT(cuModuleLoadData)
EXPORT(cuModuleLoadDataEx)
EXPORT(cuModuleUnload)
EXPORT(cuModuleGetFunction)
EXPORT(cuFuncGetAttribute)
EXPORT(cuOccupancyMaxActiveBlocksPerMultiprocessor)
EXPORT(cuLaunchKernel)
}
