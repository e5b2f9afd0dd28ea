#include "core/stats.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace gpuassay {

double quantile(std::vector<double> samples, double q) {
  std::sort(samples.begin(), samples.end());
  const double rank = q * static_cast<double>(samples.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  const std::size_t above = std::min(below + 1, samples.size() - 1);
  const double share = rank - static_cast<double>(below);
  return samples[below] + share * (samples[above] - samples[below]);
}

double median(std::vector<double> samples) { return quantile(std::move(samples), 0.5); }

double noise(const std::vector<double>& samples) {
  const double middle = median(samples);
  std::vector<double> deviations;
  deviations.reserve(samples.size());
  for (const double sample : samples) deviations.push_back(std::abs(sample - middle));
  return median(std::move(deviations)) / middle;
}

double relative_half_iqr(const std::vector<double>& samples) {
  return (quantile(samples, 0.75) - quantile(samples, 0.25)) / 2 / median(samples);
}

std::vector<double> thin(const std::vector<double>& samples, std::size_t limit) {
  if (samples.size() <= limit) return samples;
  std::vector<double> sorted = samples;
  std::sort(sorted.begin(), sorted.end());
  std::vector<double> kept;
  kept.reserve(limit);
  // Pairs (i, limit-1-i) take mirrored ranks, so that thinning favours neither the fast nor the slow side.
  for (std::size_t i = 0; i < limit; ++i) {
    const std::size_t mirrored = limit - 1 - i;
    const auto rank_from_below = [&](std::size_t place) { return (2 * place + 1) * sorted.size() / (2 * limit); };
    kept.push_back(2 * i + 1 == limit ? median(sorted)
                   : i < mirrored     ? sorted[rank_from_below(i)]
                                      : sorted[sorted.size() - 1 - rank_from_below(mirrored)]);
  }
  return kept;
}

double geometric_mean(const std::vector<double>& values) {
  // The mean of the exponents is taken out first, so that the product neither overflows nor vanishes.
  constexpr int kEnoughSteps = 64;
  const int count = static_cast<int>(values.size());
  int exponents = 0;
  for (const double value : values) exponents += std::ilogb(value);
  const int exponent = exponents / count;
  double product = 1;
  for (const double value : values) product *= std::ldexp(value, -exponent);
  // Newton's method; from above it falls until rounding stops it.
  double root = std::max(product, 1.0);
  for (int step = 0; step < kEnoughSteps * count; ++step) {
    double power = 1;
    for (int i = 1; i < count; ++i) power *= root;
    const double next = ((count - 1) * root + product / power) / count;
    if (!(next < root)) break;
    root = next;
  }
  return std::ldexp(root, exponent);
}

double round_significant(double value, int digits) {
  // Through decimal text: the C library rounds the exact binary value correctly, arithmetic by powers of ten would
  // not. "C" locale numbers only: the program never calls setlocale.
  char text[64];
  std::snprintf(text, sizeof text, "%.*e", digits - 1, value);
  return std::strtod(text, nullptr);
}

}  // namespace gpuassay
