#include "collector/aggregates.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "core/stats.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

constexpr int kDigits = 6;
constexpr double kLow = 0.1;
constexpr double kHigh = 0.9;
constexpr Micros kOne = 1'000'000;

std::string text(const std::optional<std::string>& value) {
  return value ? fmt::format("{}:{}", value->size(), *value) : "-";
}
std::string text(const std::optional<std::int64_t>& value) { return value ? fmt::format("{}", *value) : "-"; }

std::string gpu_key(const RunFact& run) {
  return fmt::format("{}|{:05}|{}", run.gpu_model, run.gpu_count, run.score_version);
}

std::string offer_key(const RunFact& run) {
  return fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}", gpu_key(run), text(run.gpu_variant), text(run.gpu_memory_mib),
                     run.provider, text(run.instance_type), text(run.region), text(run.pricing_model),
                     text(run.vcpus_milli), text(run.memory_mib));
}

std::vector<double> medians_of(const std::map<std::string, std::vector<double>>& scores) {
  std::vector<double> medians;
  medians.reserve(scores.size());
  for (const auto& [machine, values] : scores) medians.push_back(median(values));
  std::sort(medians.begin(), medians.end());
  return medians;
}

Spread spread_of(const std::map<std::string, std::vector<double>>& scores, const std::vector<double>& medians) {
  Spread spread;
  for (const auto& [machine, values] : scores) spread.runs += values.size();
  spread.machines = medians.size();
  spread.p10 = round_significant(quantile(medians, kLow), kDigits);
  spread.p50 = round_significant(median(medians), kDigits);
  spread.p90 = round_significant(quantile(medians, kHigh), kDigits);
  return spread;
}

RunFact read_fact(const Statement& row) {
  RunFact run;
  run.gpu_model = row.text(0);
  run.gpu_variant = row.optional_text(1);
  run.gpu_count = row.integer(2);
  constexpr std::int64_t kMib = 1 << 20;
  if (const auto bytes = row.optional_integer(3)) run.gpu_memory_mib = *bytes / kMib;
  run.provider = row.text(4);
  run.instance_type = row.optional_text(5);
  run.region = row.optional_text(6);
  run.pricing_model = row.optional_text(7);
  run.vcpus_milli = row.optional_integer(8);
  run.memory_mib = row.optional_integer(9);
  run.score_version = row.text(10);
  run.machine_key = row.text(11);
  run.score = row.real(12);
  run.trust = row.text(13);
  constexpr int kVouched = 14, kDoubted = 15, kSpeedConfirmed = 16;
  run.is_witness = run.trust == "floor_verified" ||
                   (run.trust == "attested" && row.optional_integer(kSpeedConfirmed) == 1) || !row.is_null(kVouched);
  run.is_witness = run.is_witness && row.integer(kDoubted) == 0;
  return run;
}

bool may_be_ranked(const OfferAggregate& offer) {
  const PriceAnswer& price = offer.price;
  return offer.headline && price.score_per_usd_hour && !price.stale.value_or(true) && price.match_level != "gpu_only";
}

void add_prices(Database& database, AggregateLists& aggregates, std::int64_t as_of_ms) {
  std::vector<PriceQuestion> questions;
  questions.reserve(aggregates.offers.size());
  for (const OfferAggregate& offer : aggregates.offers) questions.push_back(price_question(offer, as_of_ms));
  const std::vector<PriceAnswer> answers = join_prices(database, questions, {});
  for (std::size_t at = 0; at < answers.size(); ++at) {
    aggregates.offers[at].price = answers[at];
    aggregates.offers[at].ranked = may_be_ranked(aggregates.offers[at]);
  }
  // Scores of two versions are not compared, and neither are prices of other machines or other times.
  std::stable_sort(
      aggregates.offers.begin(), aggregates.offers.end(), [](const OfferAggregate& left, const OfferAggregate& right) {
        const auto standing = [](const OfferAggregate& offer) {
          return std::tuple(offer.shape.score_version, offer.ranked, offer.price.score_per_usd_hour.value_or(0));
        };
        return standing(left) > standing(right);
      });
}

}  // namespace

void AggregateBuilder::add(const RunFact& run) {
  all_.add(run);
  by_trust_[run.trust].add(run);
}

Aggregates AggregateBuilder::finish() const {
  Aggregates aggregates;
  static_cast<AggregateLists&>(aggregates) = all_.finish();
  for (const auto& [trust, groups] : by_trust_) aggregates.by_trust[trust] = groups.finish();
  return aggregates;
}

void AggregateBuilder::Groups::add(const RunFact& run) {
  for (const auto& [groups, key] : {std::pair(&gpus, gpu_key(run)), std::pair(&offers, offer_key(run))}) {
    auto found = groups->find(key);
    if (found == groups->end()) found = groups->emplace(key, Group{run, {}, {}}).first;
    found->second.scores[run.machine_key].push_back(run.score);
    if (run.is_witness) found->second.witnessed[run.machine_key].push_back(run.score);
  }
}

std::optional<Spread> AggregateBuilder::headline_of(const Group& group) {
  if (group.witnessed.size() < kHeadlineMachines) return std::nullopt;
  return spread_of(group.witnessed, medians_of(group.witnessed));
}

AggregateLists AggregateBuilder::Groups::finish() const {
  AggregateLists lists;
  lists.gpus.reserve(gpus.size());
  lists.offers.reserve(offers.size());
  for (const auto& [key, group] : gpus) {
    GpuAggregate gpu{group.shape.gpu_model, group.shape.score_version, group.shape.gpu_count, {},
                     headline_of(group),    medians_of(group.scores)};
    gpu.score = spread_of(group.scores, gpu.machine_scores);
    lists.gpus.push_back(std::move(gpu));
  }
  for (const auto& [key, group] : offers) {
    OfferAggregate offer;
    offer.shape = group.shape;
    offer.shape.machine_key.clear();
    offer.shape.score = 0;
    offer.score = spread_of(group.scores, medians_of(group.scores));
    offer.headline = headline_of(group);
    lists.offers.push_back(std::move(offer));
  }
  return lists;
}

const AggregateLists& lists_of(const Aggregates& aggregates, const std::optional<std::string>& trust) {
  static const AggregateLists kNone;
  if (!trust) return aggregates;
  const auto found = aggregates.by_trust.find(*trust);
  return found == aggregates.by_trust.end() ? kNone : found->second;
}

PriceQuestion price_question(const OfferAggregate& offer, std::int64_t now_ms) {
  const RunFact& shape = offer.shape;
  PriceQuestion question;
  question.provider = shape.provider;
  question.instance_type = shape.instance_type;
  question.region = shape.region;
  question.gpu_model = shape.gpu_model;
  question.gpu_variant = shape.gpu_variant;
  question.gpu_count = shape.gpu_count * kOne;
  constexpr std::int64_t kMibPerGib = 1024;
  if (shape.gpu_memory_mib)
    question.gpu_memory_gib_total = divide_half_even(*shape.gpu_memory_mib * shape.gpu_count * kOne, kMibPerGib);
  if (shape.vcpus_milli) question.vcpus = *shape.vcpus_milli * (kOne / 1000);
  if (shape.memory_mib) question.memory_gib = divide_half_even(*shape.memory_mib * kOne, kMibPerGib);
  question.pricing_model = shape.pricing_model;
  question.measured_at_ms = now_ms;
  question.score = offer.headline ? offer.headline->p50 : offer.score.p50;
  return question;
}

Aggregates read_aggregates(Database& database, std::int64_t now_ms) {
  AggregateBuilder builder;
  {
    const Transaction snapshot(database, TransactionKind::snapshot);
    Statement query(
        database,
        "SELECT gpu_model, gpu_variant, gpu_count, gpu_memory_bytes, provider, instance_type, region, "
        "pricing_model, vcpus_milli, memory_mib, score_version, COALESCE(machine_key, run.agent_key), score, trust, "
        "vouched_at_ms, "
        "EXISTS (SELECT 1 FROM run_flag WHERE run_flag.run_id = run.run_id "
        "AND code IN ('two_rentals', 'copied_samples')), "
        "CASE WHEN trust = 'attested' THEN "
        "(SELECT MIN(speed_confirmed) FROM floor_proof WHERE floor_proof.run_id = run.run_id) END "
        "FROM run LEFT JOIN signing_key ON signing_key.agent_key = run.agent_key "
        "WHERE simulated = 0 AND quarantine_reason IS NULL AND retracted_at_ms IS NULL "
        "AND gpu_model IS NOT NULL AND score IS NOT NULL AND started_at_ms >= ?");
    query.bind(1, now_ms - kAggregateDays * kMsPerDay);
    while (query.step()) builder.add(read_fact(query));
  }
  Aggregates aggregates = builder.finish();
  aggregates.as_of_ms = now_ms;
  add_prices(database, aggregates, now_ms);
  for (auto& [trust, lists] : aggregates.by_trust) add_prices(database, lists, now_ms);
  return aggregates;
}

const GpuAggregate* find_gpu(const Aggregates& aggregates, std::string_view gpu_model, std::int64_t gpu_count,
                             std::string_view score_version) {
  const auto found = std::find_if(aggregates.gpus.begin(), aggregates.gpus.end(), [&](const GpuAggregate& gpu) {
    return gpu.gpu_model == gpu_model && gpu.gpu_count == gpu_count && gpu.score_version == score_version;
  });
  return found == aggregates.gpus.end() ? nullptr : &*found;
}

std::optional<double> percentile_of(const GpuAggregate& gpu, double score) {
  if (gpu.machine_scores.empty()) return std::nullopt;
  const auto lower = std::lower_bound(gpu.machine_scores.begin(), gpu.machine_scores.end(), score);
  constexpr int kShareDigits = 4;
  return round_significant(
      static_cast<double>(lower - gpu.machine_scores.begin()) / static_cast<double>(gpu.machine_scores.size()),
      kShareDigits);
}

}  // namespace gpuassay
