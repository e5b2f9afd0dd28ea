// The thread through the whole mission: a result is taken in, seed prices are loaded, join.sql joins them in the
// collector's database. The rules one by one are in tests/conformance.
#include "core/price_join.h"

#include <gtest/gtest.h>

#include "collector/collector_database.h"
#include "collector/ingest.h"
#include "core/price_store.h"
#include "core/result_json.h"
#include "core/score.h"
#include "core/seed_prices.h"
#include "tests/support/gpu_result.h"
#include "tests/support/scratch_root.h"

namespace gpuassay {
namespace {

class CollectorJoin : public testing::Test {
 protected:
  void SetUp() override { PriceStore(database()).store(bundled_seed_prices()); }

  struct Row {
    std::string match_level, reason;
    std::optional<std::string> price_id;
    std::optional<double> price_usd, score_per_usd_hour;
  };

  Database& database() { return *lease_; }

  void take_in(const Result& result) {
    const std::string body = canonical_json(result);
    const auto outcome =
        ingest_.accept({body, base64(key_.public_key()), base64(key_.sign(result_signing_message(body)))});
    EXPECT_EQ(outcome.status, IngestStatus::created) << outcome.detail;
  }

  /// Simulated runs are in no dataset: here they count as real ones.
  Row join(Result result) {
    database().execute("DELETE FROM run; DELETE FROM run_body");
    result.simulated = false;
    for (Device& device : result.devices) device.simulated = false;
    take_in(result);
    // A run of 2022, when this program did not exist, counts here too.
    database().execute("UPDATE run SET quarantine_reason = NULL");
    Statement query(database(), join_sql());
    EXPECT_TRUE(query.step());
    EXPECT_EQ(query.text(0), result.run_id);
    const auto micros = query.optional_integer(11);
    const Row row{query.text(1), query.text(2), query.optional_text(3),
                  micros ? std::optional(static_cast<double>(*micros) / 1e6) : std::nullopt, real(query, 28)};
    EXPECT_FALSE(query.step()) << "one row for each run";
    return row;
  }

  static std::optional<double> real(const Statement& query, int column) {
    return query.is_null(column) ? std::nullopt : std::optional(query.real(column));
  }

  void expect_none(const Result& result, std::string_view reason) {
    const Row row = join(result);
    EXPECT_EQ(row.match_level, "none");
    EXPECT_EQ(row.reason, reason);
    EXPECT_EQ(row.price_id, std::nullopt);
    EXPECT_EQ(row.price_usd, std::nullopt);
    EXPECT_EQ(row.score_per_usd_hour, std::nullopt);
  }

  test::ScratchRoot folder_;
  std::unique_ptr<ConnectionPool> pool_ = open_collector_database({.data_dir = folder_.path().string()});
  ConnectionPool::Lease lease_ = pool_->take(ConnectionPool::Access::read);
  RunStore runs_{*pool_};
  KeyPair key_ = KeyPair::generate();
  Ingest ingest_{runs_, KeyPair::generate(), {true}, [] { return std::int64_t{1'700'000'000'000}; }};
};

TEST_F(CollectorJoin, SeedPriceOfTheSameOffer) {
  const Row row = join(test::simulated_v100_result());
  EXPECT_EQ(row.match_level, "provider_gpu");
  EXPECT_EQ(row.price_usd, 1.72);
  EXPECT_DOUBLE_EQ(row.score_per_usd_hour.value(), test::simulated_v100_result().score.value.value() / 1.72);
  EXPECT_EQ(join(test::simulated_v100_result(8)).price_usd, 13.78);
}

TEST_F(CollectorJoin, PerGpuPricesCountTheWholeMachine) {
  auto result = test::simulated_v100_result(8);
  result.platform.provider = "oracle";
  for (auto& device : result.devices) device.memory_bytes = std::int64_t{16160} << 20U;
  EXPECT_EQ(join(result).price_usd, 23.6);
}

TEST_F(CollectorJoin, PricesAfterTheMeasurementAreNeverUsed) {
  auto result = test::simulated_v100_result();
  result.started_at = "2018-12-31T23:59:59.999Z";
  expect_none(result, "not_yet_valid");
  result.started_at = "2022-07-06T23:59:59.999Z";
  EXPECT_EQ(join(result).match_level, "gpu_only") << "tencent's price begins a millisecond later";
  result.started_at = "2022-07-07T00:00:00.000Z";
  EXPECT_EQ(join(result).match_level, "provider_gpu");
}

TEST_F(CollectorJoin, OtherProvidersAndCountsAreTheLastLevel) {
  auto result = test::simulated_v100_result();
  result.platform.provider = "runpod";
  const Row row = join(result);
  EXPECT_EQ(row.match_level, "gpu_only");
  EXPECT_EQ(row.price_usd, 1.72);
}

TEST_F(CollectorJoin, NothingIsSubstituted) {
  auto result = test::simulated_v100_result();
  result.devices[0].model = "H200";
  expect_none(result, "no_gpu_price");
  result = test::simulated_v100_result();
  result.platform.provider = "unknown";
  expect_none(result, "no_provider");
  result = test::simulated_v100_result();
  result.platform.pricing_model = "reserved";
  expect_none(result, "no_pricing_class");
}

TEST_F(CollectorJoin, PricesWithoutDollarsAreNotUsedUntilThereAreRates) {
  auto yuan = test::simulated_v100_result(2);
  yuan.platform.provider = "baidu";
  yuan.platform.pricing_model = "monthly";
  for (auto& device : yuan.devices) {
    device.model = "Tesla P40";
    device.memory_bytes = std::int64_t{24576} << 20U;
  }
  expect_none(yuan, "fx_missing");
  PriceStore(database()).store_rates({{17919, "CNY", "0.1475", "test"}});  // 2019-01-23
  const Row row = join(yuan);
  EXPECT_EQ(row.match_level, "provider_gpu");
  EXPECT_EQ(row.price_usd, 1.635432);  // 8094 CNY / 730 x 0.1475 = 1.63543150...
}

TEST_F(CollectorJoin, SpotAndPreemptibleAreOneClass) {
  auto result = test::simulated_v100_result();
  result.platform.provider = "aws";
  result.platform.pricing_model = "preemptible";
  EXPECT_EQ(join(result).price_usd, 1.2);
}

TEST_F(CollectorJoin, LowerMedianOfSeveralPrices) {
  auto result = test::simulated_v100_result();
  result.platform.provider = "ibm";  // 2.49 and 3.06 on demand
  EXPECT_EQ(join(result).price_usd, 2.49);
}

TEST_F(CollectorJoin, NoGpuOrNoScoreGivesNull) {
  auto result = test::simulated_v100_result();
  result.devices[0].kind = DeviceKind::cpu;
  expect_none(result, "no_gpu_price");
  result = test::simulated_v100_result();
  result.measurements.clear();
  result.score = score_run(result.devices, result.measurements);
  const Row row = join(result);
  EXPECT_EQ(row.price_usd, 1.72);
  EXPECT_EQ(row.score_per_usd_hour, std::nullopt);
}

TEST_F(CollectorJoin, SimulatedQuarantinedAndRetractedRunsAreNotJoined) {
  const auto joined = [this] { return Statement(database(), join_sql()).step(); };
  const auto real = test::simulated_v100_result();
  take_in(real);
  EXPECT_FALSE(joined()) << "simulated";
  join(real);
  EXPECT_TRUE(joined());
  EXPECT_TRUE(runs_.quarantine(real.run_id, "above the peak"));
  EXPECT_FALSE(joined()) << "quarantined";
  EXPECT_TRUE(runs_.quarantine(real.run_id, std::nullopt));
  EXPECT_TRUE(joined());
  EXPECT_EQ(runs_.retract(real.run_id, base64(key_.public_key()), 1), RetractOutcome::retracted);
  EXPECT_FALSE(joined()) << "retracted";
}

}  // namespace
}  // namespace gpuassay
