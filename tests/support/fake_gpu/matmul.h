// What does a matrix product of cuBLAS or cuBLASLt compute, does the library do it on this GPU, and how long does it
// take?
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/dynlib/cublaslt.h"
#include "tests/support/fake_gpu/library.h"
#include "tests/support/fake_gpu/machine.h"

namespace gpuassay::fake {

/// A matrix in memory, as a cuBLASLt layout describes it.
struct Matrix {
  int type = cublas::kR32F;
  std::uint64_t rows = 0, columns = 0;
  std::int64_t leading_dimension = 0;
  bool row_major = false;
  int batch = 1;
  std::int64_t stride = 0;  ///< between matrices of a batch, in elements
  std::uint64_t address = 0;

  /// Number of an element from the start.
  [[nodiscard]] std::uint64_t index(std::uint64_t matrix, std::uint64_t row, std::uint64_t column) const;
  /// Elements from the first to the last one.
  [[nodiscard]] std::uint64_t extent() const;
  [[nodiscard]] std::uint64_t bytes() const;
  /// Whether there are elements within the extent that belong to no matrix.
  [[nodiscard]] bool has_gaps() const;
};

/// Factors of an operand: one number, or one per block of numbers along k.
struct Scale {
  std::uint64_t address = 0;
  int mode = cublaslt::kScaleScalar32F;
};

/// d = alpha * op(a) * op(b) + beta * c.
struct Matmul {
  int compute_type = cublas::kCompute32F;
  bool transpose_a = false, transpose_b = false;
  Matrix a, b, c, d;
  Scale scale_a, scale_b;
  double alpha = 1, beta = 0;

  [[nodiscard]] std::uint64_t m() const { return d.rows; }
  [[nodiscard]] std::uint64_t n() const { return d.columns; }
  [[nodiscard]] std::uint64_t k() const { return transpose_a ? a.rows : a.columns; }
};

kernels::ElementFormat element_format(int data_type);
unsigned data_type_bits(int data_type);
/// alpha or beta, whose type goes by the compute type.
double scalar_of(const void* pointer, int compute_type);
/// The contract's name of what is computed: "fp16_acc16".
std::string dtype_of(const Matmul& matmul);

/// cublas::kSuccess, or the status with which a real library of that version refuses: kInvalidValue for shapes that do
/// not fit each other, kNotSupported for types, layouts or alignments. Which library covers which GPU is not asked.
int matmul_status(const Matmul& matmul, const Device& device, const Version& version);

/// Queues it. `speed` is the algorithm's, 1 for the best.
void submit_matmul(Machine& machine, cuda::StreamRecord& stream, const Matmul& matmul, double speed);

}  // namespace gpuassay::fake
