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
/// A headline needs so many witnesses.
inline constexpr std::size_t kHeadlineMachines = 3;

/// The columns of one run that aggregates are made of.
struct RunFact {
  std::string gpu_model, machine_key, provider, score_version;
  std::optional<std::string> gpu_variant, instance_type, region, pricing_model;
  std::int64_t gpu_count = 0;
  std::optional<std::int64_t> gpu_memory_mib, vcpus_milli, memory_mib;  ///< memory of one GPU; of the host
  double score = 0;
  std::string trust;  ///< the label of the run
  /// Its speed was seen by this collector (floor_verified; attested where every device showed its speed too), or the
  /// operator vouches for whoever sent it. Keys cost nothing: any number of other machines is no witness.
  bool is_witness = false;
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
  std::optional<Spread> headline;      ///< of witnesses alone; empty with fewer than kHeadlineMachines
  std::vector<double> machine_scores;  ///< sorted; for percentiles
};

/// Machines of one offer, and what it costs.
struct OfferAggregate {
  RunFact shape;  ///< machine_key and score say nothing here
  Spread score;
  std::optional<Spread> headline;  ///< as of a GpuAggregate
  PriceAnswer price;               ///< of the headline's median score, else of all, at the instant of the aggregate
  /// A score per dollar that may stand in a ranking: with a headline, and of a fresh price of this provider's own
  /// machine.
  bool ranked = false;
};

struct AggregateLists {
  std::vector<GpuAggregate> gpus;      ///< by model, count, version
  std::vector<OfferAggregate> offers;  ///< newest score version, ranked, best score per dollar first
};

/// The lists are of all runs; beside them those of the runs of one label.
struct Aggregates : AggregateLists {
  std::int64_t as_of_ms = 0;
  std::chrono::steady_clock::time_point made_at = std::chrono::steady_clock::now();
  std::map<std::string, AggregateLists, std::less<>> by_trust = {};
};

/// Those of a label, where one is asked for; empty ones when there are none.
const AggregateLists& lists_of(const Aggregates& aggregates, const std::optional<std::string>& trust);

class AggregateBuilder {
 public:
  void add(const RunFact& run);
  /// What was added, without prices.
  [[nodiscard]] Aggregates finish() const;

 private:
  using ScoresOfMachine = std::map<std::string, std::vector<double>>;
  struct Group {
    RunFact shape;
    ScoresOfMachine scores, witnessed;
  };
  struct Groups {
    void add(const RunFact& run);
    [[nodiscard]] AggregateLists finish() const;
    std::map<std::string, Group> gpus, offers;
  };
  static std::optional<Spread> headline_of(const Group& group);

  Groups all_;
  std::map<std::string, Groups, std::less<>> by_trust_;
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
