#include "agent/workloads/output_check.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "agent/workloads/random_inputs.h"

namespace gpuassay {

void ReferenceValue::add(double a, double b) {
  const double product = a * b;
  want += product;
  sum_abs += std::fabs(product);
}

void OutputCheck::compare(double got, const ReferenceValue& reference) {
  ++positions_;
  double error = std::fabs(got - reference.want);
  if (!rule_.exact && error > 0) {
    error = std::max(0.0, error - rule_.output_rounding * std::fabs(reference.want));
    // No product at all (an element that sees only padding) must give zero exactly.
    if (error > 0) error /= reference.sum_abs;
  }
  // The negation also catches NaN.
  if (!(error <= std::numeric_limits<double>::max())) error = std::numeric_limits<double>::max();
  max_error_ = std::max(max_error_, error);
}

Verification OutputCheck::result() const {
  Verification verification;
  verification.method = "fp64_reference";
  verification.error_kind = rule_.exact ? "absolute" : "relative_to_sum_abs";
  verification.positions = positions_;
  verification.max_error = max_error_;
  verification.tolerance = rule_.exact ? 0 : rule_.tolerance;
  verification.passed = positions_ > 0 && max_error_ <= verification.tolerance;
  return verification;
}

std::vector<std::int64_t> sampled_positions(std::int64_t total, const std::vector<std::int64_t>& always) {
  std::vector<std::int64_t> positions;
  if (total <= kSampledPositions) {
    for (std::int64_t i = 0; i < total; ++i) positions.push_back(i);
    return positions;
  }
  std::copy_if(always.begin(), always.end(), std::back_inserter(positions),
               [total](std::int64_t position) { return position >= 0 && position < total; });
  std::sort(positions.begin(), positions.end());
  positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
  const auto wanted = positions.size() + static_cast<std::size_t>(kSampledPositions);
  const auto seed = static_cast<std::uint64_t>(total);
  for (std::uint64_t draw = 0; positions.size() < wanted; ++draw) {
    const auto position = static_cast<std::int64_t>(random_bits(seed, draw) % static_cast<std::uint64_t>(total));
    // Few enough that looking through them is cheaper than a set. A crowded output may not have so many.
    if (std::find(positions.begin(), positions.end(), position) == positions.end()) positions.push_back(position);
    if (positions.size() == static_cast<std::size_t>(total)) break;
  }
  return positions;
}

}  // namespace gpuassay
