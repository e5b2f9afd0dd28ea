// Which of several results is faster by the Assay Index, and how would the weights of its classes have to change to
// reverse that? Pure. docs/COMPARE.md states the rules.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/model.h"
#include "core/workload.h"

namespace gpuassay {

inline constexpr std::size_t kWorkloadClasses = 3;

/// One figure for each class, in the order train, prefill, decode.
using ByClass = std::array<double, kWorkloadClasses>;

/// Lowest and highest Assay Index that the ranges of its workloads leave open.
struct IndexRange {
  double low = 0, high = 0;
};

/// What a comparison needs of one result.
struct ComparedRun {
  std::string run_id;
  std::string machine;  ///< "2 x Tesla T4"; a name from the file, not cleaned
  bool simulated = false;
  std::string stored_version;  ///< of the score in the file
  Score score;                 ///< recomputed
  std::optional<std::string> price_instance_hour_usd;
  std::optional<double> score_per_usd_hour;
  std::optional<std::string> unscored_reason;  ///< why there is no value; empty when there is one
};

/// `score` must be recomputed from `stored`.
ComparedRun compared_run(const Result& stored, const Score& score);

/// One class with more weight than the others, which keep their proportion, makes two results equal.
struct EvenWeight {
  WorkloadClass workload_class = WorkloadClass::train;
  double weight = 0;  ///< above a third, below 1
};

/// Two results that have a value. Ratios are the faster's over the slower's.
struct ComparedPair {
  std::size_t faster = 0, slower = 0;  ///< places in the list; of equal ones the first is `faster`
  double value_ratio = 1;
  ByClass class_ratios{};
  std::optional<double> per_usd_hour_ratio;  ///< empty unless both have a price
  bool same = false;                         ///< index and classes are equal
  bool robust = false;                       ///< faster, and slower in no class: no weights reverse it
  bool certain = false;                      ///< the ranges of the two indexes do not overlap
  std::vector<EvenWeight> even_when;         ///< the smallest change first; empty when robust or equal
};

/// One workload in one precision; vectors by place in the list of results.
struct ComparedWorkload {
  std::string name;
  WorkloadClass workload_class = WorkloadClass::train;
  WorkloadPrecision precision = WorkloadPrecision::full;
  std::vector<std::optional<std::string>> dtypes;
  std::vector<std::optional<double>> samples_per_s;
  std::vector<std::optional<double>> ratios;  ///< over the best result's
};

struct Comparison {
  std::optional<std::size_t> best;  ///< the highest index; empty when no result has one
  std::vector<ComparedPair> pairs;  ///< every two results with a value, in the order of the list
  std::vector<ComparedWorkload> workloads;
};

/// Empty when the score has no value.
std::optional<IndexRange> index_range(const Score& score);

Comparison compare_runs(const std::vector<ComparedRun>& runs);

}  // namespace gpuassay
