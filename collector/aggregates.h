// How do the runs of one GPU, and of one offer, compare? Spreads over machines, not over runs: one machine that sends a
// thousand results weighs as much as one that sends one. Pure, but for read_aggregates().
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/database.h"
#include "core/price_join.h"

namespace gpuassay {

/// Runs of the last days count; older ones are of other drivers and other neighbours.
inline constexpr std::int64_t kAggregateDays = 90;
/// A headline needs so many machines: a single contributor cannot make one.
inline constexpr std::size_t kHeadlineMachines = 3;

/// The columns of one run that aggregates are made of.
struct RunFact {
  std::string gpu_model, machine_key, provider, score_version;
  std::optional<std::string> gpu_variant, instance_type, region, pricing_model;
  std::int64_t gpu_count = 0;
  std::optional<std::int64_t> gpu_memory_mib, vcpus_milli, memory_mib;  ///< memory of one GPU; of the host
  double score = 0;
};

/// Scores of machines (the median of each one's runs), by quantiles with linear interpolation.
struct Spread {
  std::size_t runs = 0, machines = 0;
  double p10 = 0, p50 = 0, p90 = 0;
};

/// All machines with so many of one GPU, under one version of the score.
struct GpuAggregate {
  std::string gpu_model, score_version;
  std::int64_t gpu_count = 0;
  Spread score;
  std::vector<double> machine_scores;  ///< sorted; for percentiles
};

/// Machines of one offer, and what it costs.
struct OfferAggregate {
  RunFact shape;  ///< machine_key and score say nothing here
  Spread score;
  PriceAnswer price;  ///< of the median score, at the instant of the aggregate
  /// A score per dollar that may stand in a ranking: of enough machines for a headline, and of a fresh price of this
  /// provider's own machine.
  bool ranked = false;
};

struct Aggregates {
  std::int64_t as_of_ms = 0;
  std::chrono::steady_clock::time_point made_at = std::chrono::steady_clock::now();
  std::vector<GpuAggregate> gpus;      ///< by model, count, version
  std::vector<OfferAggregate> offers;  ///< newest score version, ranked, best score per dollar first
};

class AggregateBuilder {
 public:
  void add(const RunFact& run);
  /// What was added, without prices.
  [[nodiscard]] Aggregates finish() const;

 private:
  using ScoresOfMachine = std::map<std::string, std::vector<double>>;
  struct Group {
    RunFact shape;
    ScoresOfMachine scores;
  };
  std::map<std::string, Group> gpus_, offers_;
};

/// The question that join.sql answers for an offer.
PriceQuestion price_question(const OfferAggregate& offer, std::int64_t now_ms);

/// All runs that count, of kAggregateDays before `now_ms`, joined with the prices in force then. Throws
/// Error{database}.
Aggregates read_aggregates(Database& database, std::int64_t now_ms);

/// The aggregate of so many of a GPU; null when there is none.
const GpuAggregate* find_gpu(const Aggregates& aggregates, std::string_view gpu_model, std::int64_t gpu_count,
                             std::string_view score_version);

/// Share of machines whose score is lower, 0 to 1; empty without machines.
std::optional<double> percentile_of(const GpuAggregate& gpu, double score);

}  // namespace gpuassay
