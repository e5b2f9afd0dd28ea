// The matrix product of a verified run through NVIDIA's libraries: integers in, the same integers out in every order of
// adding, as the sums are kept in fp32 or int32 and stay below 2^23.
#pragma once

#include <memory>

#include "agent/backends/cuda_backend.h"
#include "agent/backends/cuda_context.h"
#include "core/floor/messages.h"

namespace gpuassay {

struct CublasLtSession;
struct CublasSession;

/// The libraries of one device, each opened when it is first needed.
struct CudaFloorLibraries {
  std::shared_ptr<CublasLtSession> cublaslt;
  std::shared_ptr<CublasSession> cublas;
};

/// A and B, both row-major with rows of k numbers, and C, row-major.
struct CudaFloorOperands {
  DeviceBuffer a, b, c;
};

/// How a dtype lies in memory: A and B; C is int32 for int8, else fp32.
struct CudaFloorFormat {
  kernels::ElementFormat operand = kernels::ElementFormat::fp32;
  bool is_integer = false;
};
/// Throws Error{unsupported} for a dtype that a GPU does no verified run in.
CudaFloorFormat cuda_floor_format(DType dtype);

class CudaFloorProduct {
 public:
  CudaFloorProduct() = default;
  CudaFloorProduct(const CudaFloorProduct&) = delete;
  CudaFloorProduct& operator=(const CudaFloorProduct&) = delete;
  virtual ~CudaFloorProduct() = default;

  /// Queues C = A * B'.
  virtual void enqueue() = 0;
};

/// The fastest of what cuBLASLt offers for this shape, or cuBLAS where that is not there or has no such product. The
/// arguments must outlive it. Throws Error{unsupported, library_missing, library_failed, out_of_memory}.
std::unique_ptr<CudaFloorProduct> make_cuda_floor_product(CudaContext& context, const CudaSelection& selection,
                                                          CudaFloorLibraries& libraries, const FloorWork& work,
                                                          const CudaFloorOperands& operands);

}  // namespace gpuassay
