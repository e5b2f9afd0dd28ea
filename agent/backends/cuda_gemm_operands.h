// The operands of a matrix product on the device, in rotating copies, and the check of its output. Shared by the two
// ways of computing one, cuBLASLt and cuBLAS.
#pragma once

#include <vector>

#include "agent/backends/cuda_gemm_types.h"
#include "agent/backends/cuda_tensor.h"
#include "core/model.h"

namespace gpuassay {

/// How the right-hand matrix B lies in memory. The other two are row-major always.
enum class GemmLayout {
  plain,         ///< B as [k, n]
  b_transposed,  ///< B as [n, k], as PyTorch keeps the weights of a linear layer
};

/// A, B, C of one product, as often as copies_beyond_cache says. B's memory has no layout of its own: each layout is a
/// view of the same numbers, and the check knows which was used.
class CudaGemmOperands {
 public:
  /// Allocates and fills; C is poisoned. Throws Error{out_of_memory}.
  CudaGemmOperands(CudaContext& context, const GemmParams& params, const CudaGemmTypes& types);

  struct Set {
    CudaTensor a, b;
    DeviceBuffer c;
  };
  [[nodiscard]] std::int64_t set_count() const { return static_cast<std::int64_t>(sets_.size()); }
  /// The set to use next: they take turns.
  Set& next();

  /// Compares the output of the set used last with the float64 reference, then poisons every output.
  Verification verify(GemmLayout layout);

 private:
  void poison();

  CudaContext& context_;
  GemmParams params_;
  CudaGemmTypes types_;
  std::vector<Set> sets_;
  std::size_t last_ = 0, next_ = 0;
};

}  // namespace gpuassay
