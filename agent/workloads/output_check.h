// Is a sampled output element right? Tolerances per dtype with their derivation, and the positions to sample.
//
// Let u = 2^-24 be the unit roundoff of fp32, want = sum of K products a_i*b_i in float64, and
// S = sum |a_i*b_i|. Summing in fp32 adds at each step at most u times the running partial sum. For any data that
// gives the worst case K*u*S. Our operands are independent with mean zero, so partial sums grow like sqrt(i), not
// like i, and the error relative to S stays a small multiple of u whatever K is (N. Higham and T. Mary, "Sharper
// probabilistic backward error analysis for basic linear algebra kernels with random data", SIAM J. Sci. Comput.
// 42(5), 2020): its standard deviation is below 0.7*u for one running sum, less for blocked sums. kAccumulation
// allows 16*u: over twenty standard deviations, yet one omitted product is about S/K, so it is seen while K < 10^6.
//   fp32              |got - want| <= 16*u*S
//   bf16, fp32 output the same: products of two bf16 numbers are exact in fp32, and the reference takes the
//                     rounded operands
//   bf16 output       the element is further rounded to 8 significant bits: 2^-8*|want| more is allowed and taken
//                     off before the comparison, so that the tolerance stays 16*u*S
//   int8              exact: every sum fits in 32 bits
#pragma once

#include <cstdint>
#include <vector>

#include "core/model.h"

namespace gpuassay {

inline constexpr double kFp32UnitRoundoff = 0x1p-24;
inline constexpr double kAccumulationTolerance = 16 * kFp32UnitRoundoff;
inline constexpr double kBfloat16UnitRoundoff = 0x1p-8;

/// At least this many positions of every output are compared (all when it has fewer).
inline constexpr std::int64_t kSampledPositions = 64;

/// What one output element should be: the float64 sum of its products and the sum of their magnitudes.
struct ReferenceValue {
  double want = 0;
  double sum_abs = 0;
  /// Adds one product, exact in float64 for operands of at most 26 significant bits.
  void add(double a, double b);
};

/// How outputs of one kind are compared.
struct OutputRule {
  double tolerance = 0;        ///< relative to sum_abs; ignored when exact
  double output_rounding = 0;  ///< relative to |want|, allowed beside the tolerance
  bool exact = false;          ///< compare integers
};

inline constexpr OutputRule kFp32Output{kAccumulationTolerance, 0, false};
inline constexpr OutputRule kBfloat16Output{kAccumulationTolerance, kBfloat16UnitRoundoff, false};
inline constexpr OutputRule kInt32Output{0, 0, true};

/// Collects comparisons into a Verification: method "fp64_reference", error_kind "relative_to_sum_abs" or
/// "absolute". An element that is not finite is an error of the largest finite double.
class OutputCheck {
 public:
  explicit OutputCheck(const OutputRule& rule) : rule_(rule) {}
  void compare(double got, const ReferenceValue& reference);
  /// passed is false when nothing was compared.
  [[nodiscard]] Verification result() const;

 private:
  OutputRule rule_;
  std::int64_t positions_ = 0;
  double max_error_ = 0;
};

/// Positions to compare in an output of `total` elements: all when there are at most kSampledPositions; else
/// kSampledPositions pseudo-random ones (always the same for a total) and those of `always` that are inside.
std::vector<std::int64_t> sampled_positions(std::int64_t total, const std::vector<std::int64_t>& always);

}  // namespace gpuassay
