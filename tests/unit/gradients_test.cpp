#include "core/gradients.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/workload_reader.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20U;

Measurement all_reduce(std::int64_t message_bytes, const std::vector<double>& samples_ns,
                       CollectiveMode mode = CollectiveMode::bandwidth, std::int64_t ranks = 8) {
  Measurement m = test::ok_measurement(
      CollectiveParams{CollectiveKind::all_reduce, DType::fp32, message_bytes, ranks, mode}, samples_ns);
  m.device.reset();
  return m;
}

TracedWorkload with_parameters(std::int64_t parameters) {
  TracedWorkload workload;
  workload.shape["parameters"] = parameters;
  return workload;
}

TEST(GradientBuckets, OfTheTrainingNetworksAreWhatTheirTracesSay) {
  struct Expected {
    const char* name;
    std::int64_t parameters, table, full_count, last_bytes;
  };
  // 4 bytes for each parameter less the table (30,522 x 1024, 50,304 x 768) and 1 MiB, in pieces of 26,214,400 bytes;
  // the rest goes with the table.
  for (const Expected& each : {Expected{"resnet50_train", 25'557'032, 0, 3, 22'536'352},
                               {"bert_large_train", 333'697'024, 31'254'528, 46, 127'877'120},
                               {"gpt_train", 124'475'904, 38'633'472, 13, 156'067'840}}) {
    const TracedWorkload& workload = *find_workload(each.name);
    EXPECT_EQ(workload.shape.at("parameters"), each.parameters) << each.name;
    EXPECT_EQ(largest_table(workload), each.table) << each.name;
    const GradientBuckets buckets = gradient_buckets(workload);
    EXPECT_EQ(buckets.first_bytes, kMiB) << each.name;
    EXPECT_EQ(buckets.full_count, each.full_count) << each.name;
    EXPECT_EQ(buckets.last_bytes, each.last_bytes) << each.name;
    EXPECT_EQ(buckets.total_bytes(), 4 * each.parameters) << each.name;
  }
}

TEST(GradientBuckets, ThereIsAlwaysALastOne) {
  EXPECT_EQ(gradient_buckets(with_parameters(100)).first_bytes, 0);
  EXPECT_EQ(gradient_buckets(with_parameters(100)).last_bytes, 400);
  const GradientBuckets even = gradient_buckets(with_parameters(51 * kMiB / 4));
  EXPECT_EQ(even.first_bytes, kMiB);
  EXPECT_EQ(even.full_count, 1);
  EXPECT_EQ(even.last_bytes, 25 * kMiB);
}

TEST(AllReduceTimes, LieOnStraightLinesBetweenWhatWasMeasured) {
  const AllReduceTimes times(8, {all_reduce(64 * kMiB, {640'000}), all_reduce(kMiB, {100'000})});
  ASSERT_TRUE(times.known());
  EXPECT_EQ(times.of(kMiB).median_ns, 100'000);
  EXPECT_EQ(times.of(22 * kMiB).median_ns, 280'000) << "a third of the way";
  EXPECT_EQ(times.of(64 * kMiB).median_ns, 640'000);
  EXPECT_EQ(times.of(128 * kMiB).median_ns, 1'280'000) << "the bandwidth of the largest";
  EXPECT_EQ(times.of(1).median_ns, 100'000) << "no message is faster than the smallest";
}

TEST(AllReduceTimes, QuartilesStayApart) {
  const AllReduceTimes times(
      8, {all_reduce(kMiB, {80, 90, 100, 120, 140}), all_reduce(3 * kMiB, {280, 290, 300, 320, 340})});
  EXPECT_EQ(times.of(2 * kMiB).low_ns, 190);
  EXPECT_EQ(times.of(2 * kMiB).median_ns, 200);
  EXPECT_EQ(times.of(2 * kMiB).high_ns, 220);
}

TEST(AllReduceTimes, SmallMessagesTakeTheLatencyOfSingleCalls) {
  const std::vector<Measurement> measured{
      all_reduce(kMiB, {100'000}), all_reduce(16'384, {15'000}, CollectiveMode::graph),
      all_reduce(16'384, {20'000}, CollectiveMode::plain), all_reduce(4'096, {12'000}, CollectiveMode::graph),
      all_reduce(kMiB, {300'000}, CollectiveMode::plain)};
  const AllReduceTimes times(8, measured);
  EXPECT_EQ(times.of(16'384).median_ns, 20'000) << "plain ones, as a framework queues them";
  EXPECT_EQ(times.of(100).median_ns, 12'000);
  EXPECT_EQ(times.of(kMiB).median_ns, 100'000) << "calls back to back where there are such";
}

TEST(AllReduceTimes, OfOtherGpusFailuresAndImpossibleTimesAreNone) {
  const Measurement good = all_reduce(kMiB, {100'000});
  EXPECT_FALSE(AllReduceTimes(8, {}).known());
  EXPECT_FALSE(AllReduceTimes(8, {good}).known()) << "one size";
  EXPECT_FALSE(AllReduceTimes(8, {all_reduce(4096, {9'000}, CollectiveMode::plain),
                                  all_reduce(8192, {9'500}, CollectiveMode::plain)})
                   .known())
      << "latencies alone";
  const auto with = [&](Measurement other) { return AllReduceTimes(8, {good, std::move(other)}).known(); };
  EXPECT_TRUE(with(all_reduce(64 * kMiB, {640'000})));
  EXPECT_FALSE(with(all_reduce(64 * kMiB, {640'000}, CollectiveMode::bandwidth, 4)));
  EXPECT_FALSE(with(all_reduce(0, {640'000})));
  EXPECT_FALSE(with(all_reduce(-kMiB, {640'000})));
  for (const double hostile :
       {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    EXPECT_FALSE(with(all_reduce(64 * kMiB, {640'000, hostile}))) << hostile;
  EXPECT_FALSE(with(all_reduce(64 * kMiB, {}))) << "no samples";
  Measurement wrong = all_reduce(64 * kMiB, {640'000});
  wrong.status = CaseStatus::wrong_result;
  EXPECT_FALSE(with(wrong));
  Measurement gathered = all_reduce(64 * kMiB, {640'000});
  std::get<CollectiveParams>(gathered.params).kind = CollectiveKind::all_gather;
  EXPECT_FALSE(with(gathered));
}

/// 1 MiB takes 10 us, every further one 1 us: a bucket of 25 MiB takes 34 us. The quartiles are 10 % away.
AllReduceTimes line() {
  return {2,
          {all_reduce(kMiB, {8'000, 9'000, 10'000, 11'000, 12'000}, CollectiveMode::bandwidth, 2),
           all_reduce(101 * kMiB, {90'000, 99'000, 110'000, 121'000, 130'000}, CollectiveMode::bandwidth, 2)}};
}

TEST(GradientExchange, WhatOverlapsWithBackwardIsNotWaitedFor) {
  // 1 MiB, 2 x 25 MiB, 9 MiB: 10 + 2 * 34 us before the last, which takes 18.
  const GradientBuckets buckets = gradient_buckets(with_parameters(60 * kMiB / 4));
  const GradientExchange hidden = exchange_gradients(buckets, line(), 78'000);
  EXPECT_DOUBLE_EQ(hidden.before_last_ns, 78'000);
  EXPECT_DOUBLE_EQ(hidden.last_ns, 18'000);
  EXPECT_DOUBLE_EQ(hidden.exposed_ns, 18'000) << "just hidden";
  EXPECT_DOUBLE_EQ(exchange_gradients(buckets, line(), 1e9).exposed_ns, 18'000) << "the last never is";
  EXPECT_DOUBLE_EQ(exchange_gradients(buckets, line(), 50'000).exposed_ns, 28'000 + 18'000);
  EXPECT_DOUBLE_EQ(exchange_gradients(buckets, line(), 0).exposed_ns, 78'000 + 18'000);
  EXPECT_DOUBLE_EQ(hidden.low_ns, 0.9 * 18'000) << "all but the last is hidden";
  EXPECT_DOUBLE_EQ(hidden.high_ns, 1.1 * (78'000 + 18'000)) << "nothing is";
}

TEST(GradientExchange, OfOneBucketIsWaitedForWhole) {
  const GradientExchange exchange = exchange_gradients(gradient_buckets(with_parameters(100)), line(), 1e9);
  EXPECT_EQ(exchange.before_last_ns, 0);
  EXPECT_DOUBLE_EQ(exchange.exposed_ns, 10'000);
}

}  // namespace
}  // namespace gpuassay
