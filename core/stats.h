// Statistics of repeated timings. Pure functions; samples are in any unit and need not be sorted.
#pragma once

#include <cstddef>
#include <vector>

namespace gpuassay {

/// The most samples a result document keeps per case.
inline constexpr int kMaxStoredSamples = 64;

/// Quantile `q` in [0, 1] by linear interpolation between order statistics (Hyndman and Fan, type 7).
/// Precondition: `samples` is not empty.
double quantile(std::vector<double> samples, double q);

/// quantile(samples, 0.5): the mean of the middle two for an even count.
double median(std::vector<double> samples);

/// Median absolute relative deviation from the median, a fraction: median(|x - m|) / m. The robust spread that
/// nanobench calls "median absolute percent error". Zero for one sample. Precondition: not empty, median > 0.
double noise(const std::vector<double>& samples);

/// Half the interquartile range over the median: unlike noise() it does not vanish when most samples alternate
/// between two speeds. Precondition: not empty, median > 0.
double relative_half_iqr(const std::vector<double>& samples);

/// At most `limit` values that keep the quantiles: all samples in the order measured when they fit, otherwise the
/// order statistics at ranks floor((i + 0.5) * n / limit) of the lower half, their mirror images in
/// the upper half, and the median itself in the middle of an odd limit. Figures are derived from the thinned samples,
/// so that anyone can recompute them from the document.
std::vector<double> thin(const std::vector<double>& samples, std::size_t limit = kMaxStoredSamples);

/// The n-th root of the product of the n values, by additions, multiplications and divisions alone, so that every build
/// computes the same digits. Precondition: not empty, at most 64 of them, all between 1e-100 and 1e100.
double geometric_mean(const std::vector<double>& values);

/// `value` rounded to `digits` significant decimal digits, the same on every build. Zero stays zero.
double round_significant(double value, int digits);

}  // namespace gpuassay
