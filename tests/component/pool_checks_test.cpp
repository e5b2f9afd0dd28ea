// What many runs say that one alone cannot, on a store: every kind of flag, and that honest runs get none.
#include "collector/pool/pool_checks.h"

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <random>

#include "collector/aggregates.h"
#include "collector/ingest.h"
#include "collector/pool/changes.h"
#include "collector/pool/sample_pattern.h"
#include "core/gpu_peaks.h"
#include "core/normalize.h"
#include "core/result_json.h"
#include "core/score.h"
#include "core/stats.h"
#include "core/timestamp.h"
#include "tests/support/example_result.h"
#include "tests/support/gpu_result.h"
#include "tests/support/memory_pool.h"

namespace gpuassay {
namespace {

constexpr std::int64_t kDay = 86'400'000;
constexpr std::int64_t kStart = 1'795'000'000'000;

/// What a GPU of that name would send whose noise is this generator's.
class Machine {
 public:
  explicit Machine(unsigned number) : number_(number), random_(number) {}

  /// A run with noise of 1 % about `speed`, with samples in the order in which they came.
  Result run(std::int64_t started_ms, double speed = 1, const std::string& instance = "i") {
    Result result = base();
    result.run_id = fmt::format("0190b5a4-7c1d-7b3e-9f00-{:06x}{:06x}", number_, ++runs_);
    result.started_at = format_rfc3339_ms(started_ms);
    result.finished_at = format_rfc3339_ms(started_ms + 60'500);
    result.platform.instance_id_hash = sha256_hex(instance);
    result.devices[0].uuid_hash = sha256_hex(fmt::format("gpu {}", number_));
    std::normal_distribution<double> noise(1, 0.01);
    for (Measurement& measurement : result.measurements) {
      const double sample_ns = measurement.samples_ns[0] / speed;
      measurement.samples_ns.clear();
      for (int i = 0; i < 7; ++i) measurement.samples_ns.push_back(round_significant(sample_ns * noise(random_), 6));
      measurement.seconds_under_load = std::max(0.125, 20 * sample_ns / 1e9);
    }
    return finished(std::move(result));
  }

  static Result finished(Result result) {
    result.measurements = normalize_all(std::move(result.measurements), result.devices);
    result.summary = summarize(result.devices, result.measurements);
    result.score = score_run(result.devices, result.measurements);
    return result;
  }

  KeyPair key = KeyPair::generate();

 private:
  static Result base() {
    static const Result kBase = [] {
      Result result = test::simulated_v100_result();
      result.simulated = result.devices[0].simulated = false;
      result.devices[0].sm_count = 80;
      result.devices[0].compute_capability = "7.0";
      describe_gpu(result.devices[0], std::nullopt, std::nullopt);
      return result;
    }();
    return kBase;
  }

  unsigned number_;
  unsigned runs_ = 0;
  std::mt19937 random_;
};

class PoolChecksTest : public testing::Test {
 protected:
  void send(const Machine& machine, const Result& result) {
    const std::string body = canonical_json(result);
    now_ms_ = parse_rfc3339_ms(result.finished_at) + 1000;
    const IngestOutcome outcome = ingest_.accept(
        {body, base64(machine.key.public_key()), base64(machine.key.sign(result_signing_message(body)))});
    ASSERT_EQ(outcome.status, IngestStatus::created) << outcome.detail;
    ASSERT_EQ(outcome.detail, "") << "quarantined";
  }
  void check_all() {
    while (checks_.check_new(100, now_ms_) > 0) {
    }
  }
  std::string codes(const Result& result) {
    std::string text;
    for (const RunFlag& flag : checks_.flags_of(result.run_id)) text += flag.code + " ";
    return text;
  }
  std::int64_t flags() {
    const auto database = pool_->take(ConnectionPool::Access::read);
    Statement query(*database, "SELECT COUNT(*) FROM run_flag");
    query.step();
    return query.integer(0);
  }

  std::unique_ptr<ConnectionPool> pool_ = test::memory_pool();
  RunStore store_{*pool_};
  std::int64_t now_ms_ = kStart;
  Ingest ingest_{store_, KeyPair::generate(), {}, [this] { return now_ms_; }};
  PoolChecks checks_{*pool_};
};

TEST_F(PoolChecksTest, AThousandHonestRunsGetNoFlagAndNoQuarantine) {
  constexpr int kMachines = 100, kRuns = 10;
  for (unsigned number = 0; number < kMachines; ++number) {
    Machine machine(number + 1);
    std::mt19937 random(number);
    const double speed = std::normal_distribution<double>(1, 0.03)(random);
    for (std::int64_t run = 0; run < kRuns; ++run)
      send(machine, machine.run(kStart + run * 8 * kDay + std::int64_t{number} * 60'000, speed, std::to_string(run)));
  }
  check_all();
  checks_.check_changes(now_ms_);
  EXPECT_EQ(flags(), 0);
}

TEST_F(PoolChecksTest, AGpuThatIsMeasuredTwiceAtTheSameTime) {
  Machine machine(1);
  const Result first = machine.run(kStart), second = machine.run(kStart + 30'000, 1, "j"),
               later = machine.run(kStart + 120'000);
  for (const Result& result : {first, second}) send(machine, result);
  check_all();
  EXPECT_EQ(codes(first), "two_rentals ");
  EXPECT_EQ(codes(second), "two_rentals ");
  Machine other(2);
  const Result beside = other.run(kStart + 10'000);
  send(other, beside);
  check_all();
  EXPECT_EQ(codes(beside), "") << "another GPU may work at the same time";
  EXPECT_EQ(codes(later), "");
}

TEST_F(PoolChecksTest, AGpuThatComesBackToARentalFromAnotherOne) {
  Machine machine(1);
  const Result first = machine.run(kStart, 1, "i"), second = machine.run(kStart + kDay, 1, "j"),
               third = machine.run(kStart + 2 * kDay, 1, "i");
  send(machine, first);
  send(machine, second);
  check_all();
  EXPECT_EQ(flags(), 0) << "rented to somebody else after the first";
  send(machine, third);
  check_all();
  EXPECT_EQ(codes(second), "two_rentals ");
  EXPECT_EQ(codes(third), "two_rentals ");
  EXPECT_EQ(codes(first), "");
}

TEST_F(PoolChecksTest, SamplesOfAnotherMachineScaled) {
  Machine honest(1), thief(2);
  const Result original = honest.run(kStart);
  send(honest, original);
  Result copy = original;
  copy.run_id.back() = copy.run_id.back() == 'f' ? 'e' : 'f';
  copy.run_id[24] = 'c';
  copy.devices[0].uuid_hash = sha256_hex("made up");
  copy.platform.instance_id_hash = sha256_hex("elsewhere");
  copy.finished_at = format_rfc3339_ms(parse_rfc3339_ms(original.finished_at) + 1000);
  for (Measurement& measurement : copy.measurements)
    for (double& sample : measurement.samples_ns) sample = round_significant(sample / 1.15, 6);
  copy = Machine::finished(std::move(copy));
  send(thief, copy);
  check_all();
  EXPECT_EQ(codes(original), "") << "whoever sends another's run again does it no harm";
  EXPECT_EQ(codes(copy), "copied_samples ");
  store_.vouch_for_key(base64(thief.key.public_key()), true, 1);
  const Aggregates aggregates = read_aggregates(*pool_->take(ConnectionPool::Access::write), now_ms_);
  EXPECT_FALSE(aggregates.gpus.at(0).headline) << "such a run is no witness";
}

TEST_F(PoolChecksTest, TheSameMachineMayRepeatItself) {
  Machine machine(1);
  const Result original = machine.run(kStart);
  send(machine, original);
  Result again = original;
  again.run_id.back() = again.run_id.back() == 'f' ? 'e' : 'f';
  again.run_id[24] = 'c';
  again.started_at = format_rfc3339_ms(kStart + kDay);
  again.finished_at = format_rfc3339_ms(kStart + kDay + 60'500);
  send(machine, again);
  check_all();
  EXPECT_EQ(flags(), 0);
}

TEST_F(PoolChecksTest, AGpuThatHasBecomeSlower) {
  Machine slower(1), steady(2);
  Result last, same;
  for (std::int64_t month = 0; month < 4; ++month) {
    send(slower, slower.run(kStart + month * 20 * kDay));
    send(steady, steady.run(kStart + month * 20 * kDay));
  }
  for (int day = 0; day < 3; ++day) {
    last = slower.run(kStart + (120 + day) * kDay, 0.8);
    same = steady.run(kStart + (120 + day) * kDay, 0.97);
    send(slower, last);
    send(steady, same);
  }
  checks_.check_changes(kStart + 130 * kDay);
  EXPECT_EQ(codes(same), "");
  EXPECT_EQ(codes(last), "drift ");
  EXPECT_EQ(flags(), 3) << "its newest runs alone";
}

TEST_F(PoolChecksTest, AProviderWhoseMachinesHaveChanged) {
  for (unsigned number = 1; number <= 12; ++number) {
    Machine before(number), now(100 + number);
    send(before, before.run(kStart + number * kDay, 0.8));
    send(now, now.run(kStart + 80 * kDay + std::int64_t{number} * 60'000, 1.1));
  }
  now_ms_ = kStart + 82 * kDay;
  checks_.check_changes(now_ms_);
  EXPECT_EQ(flags(), 12);
}

TEST_F(PoolChecksTest, AReasonDoesNotNameWhatWasTakenBack) {
  Machine machine(1);
  const Result first = machine.run(kStart), second = machine.run(kStart + 30'000, 1, "j");
  send(machine, first);
  send(machine, second);
  check_all();
  ASSERT_EQ(codes(second), "two_rentals ");
  ASSERT_EQ(store_.retract(first.run_id, base64(machine.key.public_key()), 1), RetractOutcome::retracted);
  const auto database = pool_->take(ConnectionPool::Access::read);
  Statement query(*database, "SELECT detail FROM run_flag");
  ASSERT_TRUE(query.step());
  EXPECT_NE(query.text(0).find("in a run that was taken back"), std::string::npos) << query.text(0);
  EXPECT_EQ(query.text(0).find(first.run_id), std::string::npos);
}

TEST_F(PoolChecksTest, WhatIsTakenBackIsComparedNoMore) {
  Machine machine(1);
  const Result first = machine.run(kStart), second = machine.run(kStart + 30'000, 1, "j");
  send(machine, first);
  ASSERT_EQ(store_.retract(first.run_id, base64(machine.key.public_key()), 1), RetractOutcome::retracted);
  send(machine, second);
  check_all();
  EXPECT_EQ(flags(), 0);
  const auto database = pool_->take(ConnectionPool::Access::read);
  Statement query(*database, "SELECT COUNT(*) FROM run_gpu");
  query.step();
  EXPECT_EQ(query.integer(0), 1);
}

TEST(SamplePattern, ScalingChangesNothingAndNoiseEverything) {
  Machine one(1), two(2);
  const Result original = one.run(kStart), other = two.run(kStart);
  Result scaled = original, touched = original;
  for (Measurement& measurement : scaled.measurements)
    for (double& sample : measurement.samples_ns) sample *= 1.07;
  for (Measurement& measurement : touched.measurements) measurement.samples_ns[3] *= 1.0002;
  EXPECT_EQ(sample_patterns(scaled), sample_patterns(original));
  EXPECT_GE(sample_patterns(original).size(), 5U);
  EXPECT_TRUE(are_copies(original, scaled));
  EXPECT_TRUE(are_copies(original, touched));
  EXPECT_FALSE(are_copies(original, other));
}

TEST(Shift, IsOfMediansThatDifferAndMiddlesThatDoNotOverlap) {
  EXPECT_TRUE(has_shifted({10, 10.1, 10.2, 9.9}, {8, 8.1, 7.9, 8.2}));
  EXPECT_FALSE(has_shifted({10, 10.1, 10.2, 9.9}, {9.5, 9.4, 9.6, 9.5})) << "5 %";
  EXPECT_FALSE(has_shifted({5, 8, 10, 14, 20}, {4, 7, 8.5, 12, 15})) << "wide ones overlap";
}

}  // namespace
}  // namespace gpuassay
