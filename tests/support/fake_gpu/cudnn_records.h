// What is behind cuDNN's opaque handles, and which status does each version give?
#pragma once

#include <cstdio>
#include <exception>
#include <mutex>

#include "tests/support/fake_gpu/convolution.h"

namespace gpuassay::cudnn {

struct HandleRecord {
  cuda::Stream stream = nullptr;
};
struct TensorRecord {
  gpuassay::fake::Tensor4 tensor;
};
struct FilterRecord {
  gpuassay::fake::Tensor4 tensor;
};
struct ConvolutionRecord {
  gpuassay::fake::Convolution convolution;
};

}  // namespace gpuassay::cudnn

namespace gpuassay::fake {

/// The statuses that are told apart, as cuDNN 8 or 9 number them.
enum class CudnnStatus {
  success,
  not_initialized,
  alloc_failed,
  bad_param,
  not_supported,
  arch_mismatch,
  execution_failed,
  internal_error
};

constexpr int numbered(CudnnStatus status) {
  constexpr bool kNine = FAKE_MAJOR >= 9;
  switch (status) {
    case CudnnStatus::success: return 0;
    case CudnnStatus::not_initialized: return kNine ? 1001 : 1;
    case CudnnStatus::alloc_failed: return kNine ? 4004 : 2;
    case CudnnStatus::bad_param: return kNine ? 2000 : 3;
    case CudnnStatus::internal_error: return kNine ? 4000 : 4;
    case CudnnStatus::arch_mismatch: return kNine ? 3007 : 6;
    case CudnnStatus::execution_failed: return kNine ? 5000 : 8;
    case CudnnStatus::not_supported: return kNine ? 3000 : 9;
  }
  return 0;
}

class CudnnFailure final : public std::exception {
 public:
  explicit CudnnFailure(CudnnStatus cause) : status(cause) {}
  CudnnStatus status;
};

inline CudnnStatus cudnn_status_of(const Failure& failure) {
  switch (failure.code) {
    case cuda::kOutOfMemory: return CudnnStatus::alloc_failed;
    case cuda::kInvalidValue:
    case cuda::kInvalidHandle: return CudnnStatus::bad_param;
    case cuda::kStubLibrary:
    case cuda::kNoDevice:
    case cuda::kInvalidContext: return CudnnStatus::not_initialized;
    default: return CudnnStatus::execution_failed;
  }
}

/// Calls body(machine) under the machine's lock; the cuDNN status of what it throws.
template <class Body>
int cudnn_call(Body body) noexcept {
  try {
    Machine& machine = Machine::instance();
    const std::unique_lock lock(machine.mutex);
    body(machine);
    return 0;
  } catch (const CudnnFailure& failure) {
    return numbered(failure.status);
  } catch (const Failure& failure) {
    return numbered(cudnn_status_of(failure));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fake cuDNN: %s\n", error.what());
    return numbered(CudnnStatus::internal_error);
  }
}

/// The version this shared object imitates: FAKE_MAJOR with a usual minor version, or what GPUASSAY_FAKE_CUDNN says.
inline Version cudnn_version() {
  constexpr Version kUsual = FAKE_MAJOR >= 9 ? Version{9, 1, 0} : Version{8, 9, 7};
  return library_version("GPUASSAY_FAKE_CUDNN", kUsual);
}

/// Throws what the library answers to a problem it cannot do at all.
void check_problem(Machine& machine, const ConvolutionProblem& problem);

}  // namespace gpuassay::fake
