#include "tests/support/fake_gpu/matmul.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace gpuassay::fake {

using cublas::DataType;
using kernels::ElementFormat;

std::uint64_t Matrix::index(std::uint64_t matrix, std::uint64_t row, std::uint64_t column) const {
  const auto ld = static_cast<std::uint64_t>(leading_dimension);
  return matrix * static_cast<std::uint64_t>(stride) + (row_major ? row * ld + column : column * ld + row);
}

std::uint64_t Matrix::extent() const { return index(static_cast<std::uint64_t>(batch) - 1, rows - 1, columns - 1) + 1; }

std::uint64_t Matrix::bytes() const { return (extent() * data_type_bits(type) + 7) / 8; }

bool Matrix::has_gaps() const { return extent() != static_cast<std::uint64_t>(batch) * rows * columns; }

ElementFormat element_format(int data_type) {
  switch (data_type) {
    case DataType::kR64F: return ElementFormat::fp64;
    case DataType::kR16F: return ElementFormat::fp16;
    case DataType::kR16BF: return ElementFormat::bf16;
    case DataType::kR8I: return ElementFormat::int8;
    case DataType::kR8FE4M3: return ElementFormat::e4m3;
    case DataType::kR4FE2M1: return ElementFormat::e2m1;
    default: return ElementFormat::fp32;
  }
}

unsigned data_type_bits(int data_type) {
  return data_type == DataType::kR32I ? 32 : kernels::bits_of(element_format(data_type));
}

namespace {

template <class Value>
Value pointed(const void* pointer) {
  Value value{};
  std::memcpy(&value, pointer, sizeof(value));
  return value;
}

double e8m0_value(std::uint8_t bits) { return std::exp2(static_cast<int>(bits) - 127); }

}  // namespace

double scalar_of(const void* pointer, int compute_type) {
  if (pointer == nullptr) throw Failure{cuda::kInvalidValue};
  switch (compute_type) {
    case cublas::kCompute64F: return pointed<double>(pointer);
    case cublas::kCompute16F: return kernels::narrow_value(kernels::kFp16, pointed<std::uint16_t>(pointer));
    case cublas::kCompute32I: return pointed<std::int32_t>(pointer);
    default: return pointed<float>(pointer);
  }
}

std::string dtype_of(const Matmul& matmul) {
  switch (matmul.a.type) {
    case DataType::kR64F: return "fp64";
    case DataType::kR16F: return matmul.compute_type == cublas::kCompute16F ? "fp16_acc16" : "fp16";
    case DataType::kR16BF: return "bf16";
    case DataType::kR8I: return "int8";
    case DataType::kR8FE4M3: return "fp8_e4m3";
    case DataType::kR4FE2M1: return "fp4";
    default: return matmul.compute_type == cublas::kCompute32FFastTF32 ? "tf32" : "fp32";
  }
}

namespace {

/// An operand whose elements are taken as (row of op(X), column of op(X)).
class Operand {
 public:
  Operand(Machine& machine, const Matrix& matrix, bool transpose, const Scale& scale, bool rounded_to_tf32)
      : matrix_(matrix),
        elements_(machine.view(matrix.address, matrix.bytes()), element_format(matrix.type), rounded_to_tf32),
        transpose_(transpose),
        mode_(scale.mode) {
    if (scale.address == 0) return;
    if (mode_ == cublaslt::kScaleScalar32F) {
      factor_ = machine.view(scale.address, 4).value<float>(0);
      return;
    }
    block_ = mode_ == cublaslt::kScaleVec16UE4M3 ? 16 : 32;
    // Blocks lie along the rows of the stored matrix: both operands are K-major.
    blocks_per_line_ = (matrix.rows + block_ - 1) / block_;
    const std::uint64_t tiles = (matrix.columns + 127) / 128 * ((blocks_per_line_ + 3) / 4);
    scales_ = machine.view(scale.address, tiles * kTileBytes);
  }

  [[nodiscard]] bool has_blocks() const { return block_ != 0; }
  [[nodiscard]] double factor() const { return factor_; }
  [[nodiscard]] const Elements& elements() const { return elements_; }
  /// The way along a row or a column of op(X).
  [[nodiscard]] Elements::Walk along_row(std::uint64_t matrix, std::uint64_t row) const {
    return {index(matrix, row, 0), index(matrix, row, 1) - index(matrix, row, 0)};
  }
  [[nodiscard]] Elements::Walk along_column(std::uint64_t matrix, std::uint64_t column) const {
    return {index(matrix, 0, column), index(matrix, 1, column) - index(matrix, 0, column)};
  }

  [[nodiscard]] double at(std::uint64_t matrix, std::uint64_t row, std::uint64_t column) const {
    const std::uint64_t r = transpose_ ? column : row;
    const std::uint64_t c = transpose_ ? row : column;
    const double value = elements_.at(matrix_.index(matrix, r, c));
    return block_ == 0 ? value * factor_ : value * block_scale(r, c);
  }

 private:
  static constexpr std::uint64_t kTileBytes = 512;

  [[nodiscard]] std::uint64_t index(std::uint64_t matrix, std::uint64_t row, std::uint64_t column) const {
    return transpose_ ? matrix_.index(matrix, column, row) : matrix_.index(matrix, row, column);
  }

  /// The factor of element `along` (k) of line `line`, from cuBLASLt's layout of block scales: tiles of 128 lines by 4
  /// blocks, in each of which lines 32 apart lie side by side.
  [[nodiscard]] double block_scale(std::uint64_t along, std::uint64_t line) const {
    const std::uint64_t block = along / block_;
    const std::uint64_t tile = line / 128 * ((blocks_per_line_ + 3) / 4) + block / 4;
    const std::uint64_t within = line % 32 * 16 + line % 128 / 32 * 4 + block % 4;
    const auto bits = scales_.value<std::uint8_t>(tile * kTileBytes + within);
    return mode_ == cublaslt::kScaleVec16UE4M3 ? kernels::narrow_value(kernels::kE4m3, bits) : e8m0_value(bits);
  }

  Matrix matrix_;
  Elements elements_;
  bool transpose_;
  int mode_;
  double factor_ = 1;
  std::uint64_t block_ = 0, blocks_per_line_ = 0;
  View scales_;
};

/// Elements of d: sums in binary64, rounded once. Real units round more often; the tolerance of a check covers both.
class Product final : public ElementRecipe {
 public:
  Product(Machine& machine, const Matmul& matmul, bool tf32)
      : ElementRecipe(data_type_bits(matmul.d.type) / 8),
        matmul_(matmul),
        a_(machine, matmul.a, matmul.transpose_a, matmul.scale_a, tf32),
        b_(machine, matmul.b, matmul.transpose_b, matmul.scale_b, tf32) {
    if (matmul.beta != 0) {
      c_ = Elements(machine.view(matmul.c.address, matmul.c.bytes()), element_format(matmul.c.type));
    }
    if (matmul.d.has_gaps()) before_ = machine.view(matmul.d.address, matmul.d.bytes());
  }

  [[nodiscard]] std::uint64_t element(std::uint64_t index) const override {
    const Matrix& d = matmul_.d;
    const auto ld = static_cast<std::uint64_t>(d.leading_dimension);
    const auto stride = static_cast<std::uint64_t>(d.stride);
    const std::uint64_t matrix = d.batch == 1 ? 0 : index / stride;
    const std::uint64_t within = d.batch == 1 ? index : index % stride;
    const std::uint64_t row = d.row_major ? within / ld : within % ld;
    const std::uint64_t column = d.row_major ? within % ld : within / ld;
    if (row >= d.rows || column >= d.columns) return untouched(index);
    double value = matmul_.alpha * sum(matrix, row, column);
    if (matmul_.beta != 0) value += matmul_.beta * c_.at(matmul_.c.index(matrix, row, column));
    if (d.type == DataType::kR32I) return static_cast<std::uint32_t>(static_cast<std::int64_t>(value));
    return bits_from_double(element_format(d.type), value);
  }
  [[nodiscard]] int depth() const override { return 1; }

 private:
  [[nodiscard]] double sum(std::uint64_t matrix, std::uint64_t row, std::uint64_t column) const {
    if (!a_.has_blocks() && !b_.has_blocks()) {
      const double products = Elements::dot(a_.elements(), a_.along_row(matrix, row), b_.elements(),
                                            b_.along_column(matrix, column), matmul_.k());
      return products * a_.factor() * b_.factor();
    }
    double total = 0;
    for (std::uint64_t k = 0; k < matmul_.k(); ++k) total += a_.at(matrix, row, k) * b_.at(matrix, k, column);
    return total;
  }
  [[nodiscard]] std::uint64_t untouched(std::uint64_t index) const {
    std::uint64_t bits = 0;
    before_.read(index * element_bytes(), std::as_writable_bytes(std::span(&bits, 1)).first(element_bytes()));
    return bits;
  }

  Matmul matmul_;
  Operand a_, b_;
  Elements c_;
  View before_;
};

Precision precision_of(const Matmul& matmul, const GpuProfile& gpu) {
  const std::string dtype = dtype_of(matmul);
  if (dtype == "fp64") return Precision::fp64;
  if (dtype == "fp16") return Precision::fp16;
  if (dtype == "fp16_acc16") return Precision::fp16_acc16;
  if (dtype == "bf16") return Precision::bf16;
  if (dtype == "int8") return gpu.capability() >= 72 ? Precision::int8 : Precision::dp4a;
  if (dtype == "fp8_e4m3") return Precision::fp8;
  if (dtype == "fp4") return Precision::fp4;
  // Allowed to use TF32, a library on an older GPU computes in binary32.
  return dtype == "tf32" && gpu.capability() >= 80 ? Precision::tf32 : Precision::fp32;
}

/// Share of the peak that the best algorithm reaches: whole waves of tiles, and enough work along each dimension.
double shape_efficiency(const Matmul& matmul, const GpuProfile& gpu) {
  constexpr double kBest = 0.93, kTile = 128, kWorst = 0.5;
  const auto tiles = [&](std::uint64_t size) { return std::ceil(static_cast<double>(size) / kTile); };
  const double waves = tiles(matmul.m()) * tiles(matmul.n()) * matmul.d.batch / gpu.sm_count;
  const double whole = std::max(waves / std::ceil(waves), kWorst);
  const auto k = static_cast<double>(matmul.k());
  return kBest * whole * k / (k + kTile);
}

double bytes_of(const Matmul& matmul) {
  const double output = static_cast<double>(matmul.d.bytes()) * (matmul.beta != 0 ? 2 : 1);
  return static_cast<double>(matmul.a.bytes()) + static_cast<double>(matmul.b.bytes()) + output;
}

}  // namespace

void submit_matmul(Machine& machine, cuda::StreamRecord& stream, const Matmul& matmul, double speed) {
  const GpuProfile& gpu = machine.current().profile();
  Work work;
  work.precision = precision_of(matmul, gpu);
  work.operations = 2.0 * static_cast<double>(matmul.m()) * static_cast<double>(matmul.n()) *
                    static_cast<double>(matmul.k()) * matmul.d.batch;
  work.efficiency = shape_efficiency(matmul, gpu) * speed;
  work.bytes = bytes_of(matmul) / speed;
  work.in_l2 = bytes_of(matmul) <= 0.5 * static_cast<double>(gpu.l2_bytes);
  Operation operation;
  operation.kind = "gemm";
  operation.operations = work.operations;
  operation.duration_ns = [work](Device& device) { return device.duration_ns(work); };
  const bool tf32 = work.precision == Precision::tf32;
  operation.effect = [&machine, matmul, tf32, operations = work.operations] {
    const ElementFormat format = matmul.d.type == DataType::kR32I ? ElementFormat::fp32 : element_format(matmul.d.type);
    machine.write(matmul.d.address, matmul.d.bytes(),
                  with_faults(machine, machine.current(), "gemm", std::make_shared<Product>(machine, matmul, tf32),
                              format, operations));
  };
  machine.submit(stream, operation);
}

}  // namespace gpuassay::fake
