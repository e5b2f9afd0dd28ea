// Which matrix products does a version of cuBLAS or cuBLASLt do on which GPU? From the tables of types and the layout
// rules in NVIDIA's cuBLAS documentation.
#include <algorithm>
#include <array>

#include "tests/support/fake_gpu/matmul.h"

namespace gpuassay::fake {
namespace {

using cublas::DataType;

/// One row of the table of types: inputs, output, compute type; from which capability and library version.
struct Types {
  int input, output, compute;
  int lowest_capability;
  int lowest_version;  ///< 100 x major + minor
};

constexpr int kAny = 0;
constexpr std::array<Types, 17> kTypes{{
    {DataType::kR64F, DataType::kR64F, cublas::kCompute64F, kAny, kAny},
    {DataType::kR32F, DataType::kR32F, cublas::kCompute32F, kAny, kAny},
    {DataType::kR32F, DataType::kR32F, cublas::kCompute32FPedantic, kAny, kAny},
    {DataType::kR32F, DataType::kR32F, cublas::kCompute32FFastTF32, kAny, kAny},
    {DataType::kR16F, DataType::kR16F, cublas::kCompute32F, 50, kAny},
    {DataType::kR16F, DataType::kR32F, cublas::kCompute32F, 50, kAny},
    {DataType::kR16F, DataType::kR16F, cublas::kCompute16F, 53, kAny},
    {DataType::kR16BF, DataType::kR16BF, cublas::kCompute32F, 80, kAny},
    {DataType::kR16BF, DataType::kR32F, cublas::kCompute32F, 80, kAny},
    {DataType::kR8I, DataType::kR32I, cublas::kCompute32I, 61, kAny},
    {DataType::kR8FE4M3, DataType::kR16BF, cublas::kCompute32F, 89, 1201},
    {DataType::kR8FE4M3, DataType::kR16F, cublas::kCompute32F, 89, 1201},
    {DataType::kR8FE4M3, DataType::kR32F, cublas::kCompute32F, 89, 1201},
    {DataType::kR8FE4M3, DataType::kR8FE4M3, cublas::kCompute32F, 89, 1201},
    {DataType::kR4FE2M1, DataType::kR16BF, cublas::kCompute32F, 100, 1208},
    {DataType::kR4FE2M1, DataType::kR16F, cublas::kCompute32F, 100, 1208},
    {DataType::kR4FE2M1, DataType::kR32F, cublas::kCompute32F, 100, 1208},
}};

bool types_supported(const Matmul& matmul, const Device& device, const Version& version) {
  const int number = 100 * version.major + version.minor;
  const int capability = device.profile().capability();
  return std::any_of(kTypes.begin(), kTypes.end(), [&](const Types& row) {
    return row.input == matmul.a.type && row.input == matmul.b.type && row.output == matmul.d.type &&
           row.output == matmul.c.type && row.compute == matmul.compute_type && capability >= row.lowest_capability &&
           number >= row.lowest_version;
  });
}

bool fits(const Matrix& matrix) {
  const std::uint64_t line = matrix.row_major ? matrix.columns : matrix.rows;
  return matrix.rows > 0 && matrix.columns > 0 && matrix.leading_dimension >= static_cast<std::int64_t>(line);
}

bool shapes_agree(const Matmul& matmul) {
  const std::uint64_t b_rows = matmul.transpose_b ? matmul.b.columns : matmul.b.rows;
  const std::uint64_t b_columns = matmul.transpose_b ? matmul.b.rows : matmul.b.columns;
  const std::uint64_t a_rows = matmul.transpose_a ? matmul.a.columns : matmul.a.rows;
  const Matrix& c = matmul.c;
  const Matrix& d = matmul.d;
  if (!fits(matmul.a) || !fits(matmul.b) || !fits(c) || !fits(d)) return false;
  if (a_rows != d.rows || b_columns != d.columns || b_rows != matmul.k()) return false;
  if (c.rows != d.rows || c.columns != d.columns || c.row_major != d.row_major) return false;
  return matmul.a.batch == d.batch && matmul.b.batch == d.batch && c.batch == d.batch && d.batch >= 1;
}

bool transposed_only(const Matmul& matmul) {
  const bool column_major = !matmul.a.row_major && !matmul.b.row_major && !matmul.d.row_major;
  return column_major && matmul.transpose_a && !matmul.transpose_b;
}

bool multiples_of(std::uint64_t unit, std::initializer_list<std::uint64_t> sizes) {
  return std::all_of(sizes.begin(), sizes.end(), [=](std::uint64_t size) { return size % unit == 0; });
}

std::uint64_t line(const Matrix& matrix) { return static_cast<std::uint64_t>(matrix.leading_dimension); }

/// What holds for the narrow types alone.
bool layout_supported(const Matmul& matmul, const Device& device) {
  const std::uint64_t m = matmul.m();
  const std::uint64_t n = matmul.n();
  const std::uint64_t k = matmul.k();
  const bool vec16 =
      matmul.scale_a.mode == cublaslt::kScaleVec16UE4M3 && matmul.scale_b.mode == cublaslt::kScaleVec16UE4M3;
  switch (matmul.a.type) {
    case DataType::kR8I: {
      // Tensor cores take the transposed form alone; dp4a wants whole words.
      const bool aligned = multiples_of(4, {line(matmul.a), line(matmul.b), k, m});
      return aligned && (device.profile().capability() < 72 || transposed_only(matmul));
    }
    case DataType::kR8FE4M3:
      return transposed_only(matmul) && multiples_of(16, {m, n, k, line(matmul.a), line(matmul.b)}) &&
             matmul.scale_a.mode == cublaslt::kScaleScalar32F && matmul.scale_b.mode == cublaslt::kScaleScalar32F;
    case DataType::kR4FE2M1:
      return transposed_only(matmul) && multiples_of(32, {k, line(matmul.a), line(matmul.b)}) &&
             multiples_of(16, {m, n}) && vec16 && matmul.scale_a.address != 0 && matmul.scale_b.address != 0;
    default: return matmul.scale_a.mode == cublaslt::kScaleScalar32F;
  }
}

/// Addresses are known only when it is run; 0 stands for not yet.
bool addresses_aligned(const Matmul& matmul) {
  const std::uint64_t unit = matmul.a.type == DataType::kR8FE4M3 || matmul.a.type == DataType::kR4FE2M1 ? 16 : 4;
  const auto size = [](const Matrix& matrix) { return std::max(data_type_bits(matrix.type) / 8, 1U); };
  if (unit == 16 && !multiples_of(unit, {matmul.a.address, matmul.b.address, matmul.d.address})) return false;
  return matmul.a.address % size(matmul.a) == 0 && matmul.b.address % size(matmul.b) == 0 &&
         matmul.d.address % size(matmul.d) == 0;
}

}  // namespace

int matmul_status(const Matmul& matmul, const Device& device, const Version& version) {
  if (!shapes_agree(matmul)) return cublas::kInvalidValue;
  if (!types_supported(matmul, device, version)) return cublas::kNotSupported;
  if (!layout_supported(matmul, device) || !addresses_aligned(matmul)) return cublas::kNotSupported;
  return cublas::kSuccess;
}

}  // namespace gpuassay::fake
