#include "tests/support/fake_gpu/compute_results.h"

#include <bit>
#include <cmath>
#include <map>

#include "kernels/fma_recurrence.h"

namespace gpuassay::fake {
namespace {

using kernels::ElementFormat;
using kernels::MmaShape;

/// x <- fma(x, x, c) in a format narrower than binary64: the square and the sum are exact in binary64.
std::uint64_t narrow_chain(const kernels::NarrowFormat& format, float start, std::uint64_t steps) {
  std::uint32_t code = kernels::narrow_from_float(format, start);
  for (std::uint64_t i = 0; i < steps; ++i) {
    const double x = kernels::narrow_value(format, code);
    code = kernels::narrow_from_double(format, x * x + static_cast<double>(kernels::kFmaConstant));
  }
  return code;
}

std::uint64_t packed_chain(const kernels::NarrowFormat& format, std::uint64_t seed, std::uint64_t thread,
                           std::uint32_t chain, std::uint64_t steps) {
  return narrow_chain(format, kernels::fma_start(seed, thread, chain, 0), steps) |
         narrow_chain(format, kernels::fma_start(seed, thread, chain, 1), steps) << 16U;
}

/// A byte of a word in two's complement.
int signed_byte(std::uint32_t word, unsigned byte) {
  const auto bits = static_cast<int>(word >> (8 * byte) & 0xffU);
  return bits < 128 ? bits : bits - 256;
}

std::uint32_t dp4a(std::uint32_t x, std::uint32_t factor) {
  std::uint32_t sum = x;
  for (unsigned byte = 0; byte < 4; ++byte) {
    const int left = signed_byte(x, byte);
    const int right = signed_byte(factor, byte);
    sum += static_cast<std::uint32_t>(left * right);
  }
  return sum;
}

class FmaResults final : public ElementRecipe {
 public:
  FmaResults(FmaKind kind, std::uint64_t seed, std::uint32_t iterations)
      : ElementRecipe(8), kind_(kind), seed_(seed), steps_(std::uint64_t{iterations} * kernels::kFmaSteps) {}
  [[nodiscard]] std::uint64_t element(std::uint64_t thread) const override {
    std::uint64_t sum = 0;
    for (std::uint32_t chain = 0; chain < kernels::kFmaChains; ++chain) sum += chain_bits(thread, chain);
    return sum;
  }

 private:
  [[nodiscard]] std::uint64_t chain_bits(std::uint64_t thread, std::uint32_t chain) const {
    const float start = kernels::fma_start(seed_, thread, chain, 0);
    switch (kind_) {
      case FmaKind::fp32: {
        float x = start;
        for (std::uint64_t i = 0; i < steps_; ++i) x = std::fma(x, x, kernels::kFmaConstant);
        return std::bit_cast<std::uint32_t>(x);
      }
      case FmaKind::fp64: {
        double x = start;
        for (std::uint64_t i = 0; i < steps_; ++i) x = std::fma(x, x, static_cast<double>(kernels::kFmaConstant));
        return std::bit_cast<std::uint64_t>(x);
      }
      case FmaKind::fp16: return packed_chain(kernels::kFp16, seed_, thread, chain, steps_);
      case FmaKind::bf16: return packed_chain(kernels::kBf16, seed_, thread, chain, steps_);
      case FmaKind::int8: {
        std::uint32_t x = kernels::dp4a_start(seed_, thread, chain);
        const std::uint32_t factor = kernels::dp4a_factor(seed_);
        for (std::uint64_t i = 0; i < steps_; ++i) x = dp4a(x, factor);
        return x;
      }
    }
    return 0;
  }

  FmaKind kind_;
  std::uint64_t seed_, steps_;
};

/// Bits of an integer in an accumulator, as they are added up.
std::uint64_t accumulator_bits(ElementFormat format, std::int64_t value) {
  if (format == ElementFormat::int8) return static_cast<std::uint32_t>(value);  // 32-bit integers
  return bits_from_double(format, static_cast<double>(value));
}

class MmaResults final : public ElementRecipe {
 public:
  MmaResults(const MmaShape& shape, std::uint64_t seed, std::uint32_t iterations)
      : ElementRecipe(8), shape_(shape), seed_(seed), iterations_(iterations) {}
  [[nodiscard]] std::uint64_t element(std::uint64_t index) const override {
    const std::uint64_t size = std::uint64_t{shape_.m} * shape_.n * shape_.groups;
    const auto place = static_cast<std::uint32_t>(index % size);
    const auto known = known_.find(place);
    if (known != known_.end()) return known->second;
    std::uint64_t sum = 0;
    for (std::uint32_t chain = 0; chain < kernels::kMmaChains; ++chain) {
      const std::int64_t product = product_at(chain, place);
      for (std::uint32_t start = 0; start < 8; ++start) {
        const std::uint64_t times = iterations_ / 8 + (start < iterations_ % 8 ? 1 : 0);
        sum += times * accumulator_bits(shape_.accumulator, product + start);
      }
    }
    known_[place] = sum;
    return sum;
  }

 private:
  [[nodiscard]] std::int64_t product_at(std::uint32_t chain, std::uint32_t place) const {
    const std::uint32_t column = place % shape_.n;
    const std::uint32_t row = place / shape_.n % shape_.m;
    const std::uint32_t group = place / shape_.n / shape_.m;
    std::int64_t sum = 0;
    for (std::uint32_t k = 0; k < shape_.k; ++k) {
      sum += std::int64_t{kernels::mma_a(shape_, seed_, {group, row, k})} *
             kernels::mma_b(shape_, seed_, chain, {group, k, column});
    }
    return sum;
  }

  MmaShape shape_;
  std::uint64_t seed_;
  std::uint32_t iterations_;
  mutable std::map<std::uint32_t, std::uint64_t> known_;
};

}  // namespace

std::shared_ptr<const ElementRecipe> fma_results(FmaKind kind, std::uint64_t seed, std::uint32_t iterations) {
  return std::make_shared<FmaResults>(kind, seed, iterations);
}

std::shared_ptr<const ElementRecipe> mma_results(const MmaShape& shape, std::uint64_t seed, std::uint32_t iterations) {
  return std::make_shared<MmaResults>(shape, seed, iterations);
}

std::optional<MmaKernel> mma_kernel(std::string_view name, int target) {
  using Found = std::optional<MmaKernel>;
  const bool volta = target < 75;
  const bool turing = target < 80;
  if (name == "gpuassay_mma_fp16") {
    const MmaShape shape = volta ? kernels::kMmaSm70Fp16 : turing ? kernels::kMmaSm75Fp16 : kernels::kMmaSm80Fp16;
    return Found({shape, Precision::fp16});
  }
  if (name == "gpuassay_mma_fp16_acc16") {
    const MmaShape shape = volta    ? kernels::kMmaSm70Fp16Acc16
                           : turing ? kernels::kMmaSm75Fp16Acc16
                                    : kernels::kMmaSm80Fp16Acc16;
    return Found({shape, Precision::fp16_acc16});
  }
  if (name == "gpuassay_mma_int8") {
    return Found({turing ? kernels::kMmaSm75Int8 : kernels::kMmaSm80Int8, Precision::int8});
  }
  if (name == "gpuassay_mma_bf16") return Found({kernels::kMmaSm80Bf16, Precision::bf16});
  if (name == "gpuassay_mma_tf32") return Found({kernels::kMmaSm80Tf32, Precision::tf32});
  if (name == "gpuassay_mma_fp64") {
    return Found({target < 90 ? kernels::kMmaSm80Fp64 : kernels::kMmaSm90Fp64, Precision::fp64});
  }
  if (name == "gpuassay_mma_fp8_e4m3") return Found({kernels::kMmaSm89Fp8, Precision::fp8});
  return std::nullopt;
}

}  // namespace gpuassay::fake
