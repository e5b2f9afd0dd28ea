// How far apart are the runs of one machine, and do two machines differ by more than that? Pure. docs/METHODOLOGY.md,
// "Run to run".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model.h"

namespace gpuassay {

/// One headline figure in several runs, in their order.
struct HeadlineSeries {
  std::string path;  ///< "score.value", "summary.instance.gemm_tflop_per_s.fp16.burst": as --require calls it
  std::vector<double> values;
};

/// The figures that every one of the runs has, the score first.
std::vector<HeadlineSeries> headline_series(const std::vector<const Result*>& runs);

/// Largest less smallest over the median; of one value 0. Values are above zero.
double relative_range(const std::vector<double>& values);

/// Two samples differ when their medians do: Wilcoxon's and Mann and Whitney's rank-sum test, two-sided and exact, ties
/// by mean ranks. The probability of ranks as far apart as these, or further, if both were samples of one distribution.
/// H. B. Mann, D. R. Whitney (1947), "On a test of whether one of two random variables is stochastically larger than
/// the other", Annals of Mathematical Statistics 18. Neither sample is empty; not for thousands of values.
double rank_sum_p(const std::vector<double>& a, const std::vector<double>& b);

/// At this or less the difference counts as larger than noise.
inline constexpr double kNoiseP = 0.05;

/// One figure of two machines.
struct HeadlineDifference {
  std::string path;
  double ratio = 1;  ///< median of the second over that of the first
  double p = 1;
  bool larger_than_noise = false;
  /// Whether a difference would have been shown if no run of one reached the other's: from four runs of each on, or
  /// three and five, or two and eight.
  bool decidable = false;
};

/// Of the figures that all runs of both have.
std::vector<HeadlineDifference> headline_differences(const std::vector<const Result*>& first,
                                                     const std::vector<const Result*>& second);

/// Positions of the results that are runs of one machine in one profile, in the order first seen: the same devices by
/// the hashes of their ids, host and instance. CPUs, and GPUs that tell no id, look the same where model and size are.
/// A run that is there twice counts once.
std::vector<std::vector<std::size_t>> runs_by_machine(const std::vector<const Result*>& runs);

}  // namespace gpuassay
