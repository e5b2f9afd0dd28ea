// The thread through the whole mission: a result is taken in, seed prices are loaded, one query joins them.
#include "core/score_per_dollar.h"
#include "core/score.h"

#include <gtest/gtest.h>

#include "collector/ingest.h"
#include "core/price_store.h"
#include "core/prices_seed.h"
#include "core/result_json.h"
#include "tests/support/gpu_result.h"

namespace gpuassay {
namespace {

class ScorePerDollar : public testing::Test {
 protected:
  void SetUp() override { prices_.store(read_seed_prices(embedded_seed_prices()).rows); }

  struct Row {
    std::string match_level;
    std::optional<std::string> price_id;
    std::optional<double> price_usd, score_per_usd_hour;
  };

  Row join(const Result& result) {
    database_.execute("DELETE FROM run");
    const std::string body = canonical_json(result);
    const auto outcome =
        ingest_.accept({body, base64(key_.public_key()), base64(key_.sign(result_signing_message(body)))});
    EXPECT_EQ(outcome.status, IngestStatus::created) << outcome.detail;
    Statement query(database_, score_per_dollar_sql());
    EXPECT_TRUE(query.step());
    EXPECT_EQ(query.text(0), result.run_id);
    const Row row{query.text(6), query.optional_text(7), real(query, 8), real(query, 9)};
    EXPECT_FALSE(query.step()) << "one row for each run";
    return row;
  }

  static std::optional<double> real(const Statement& query, int column) {
    return query.is_null(column) ? std::nullopt : std::optional(query.real(column));
  }

  void expect_none(const Result& result) {
    const Row row = join(result);
    EXPECT_EQ(row.match_level, "none");
    EXPECT_EQ(row.price_id, std::nullopt);
    EXPECT_EQ(row.price_usd, std::nullopt);
    EXPECT_EQ(row.score_per_usd_hour, std::nullopt);
  }

  Database database_{":memory:"};
  PriceStore prices_{database_};
  RunStore runs_{database_};
  KeyPair key_ = KeyPair::generate();
  Ingest ingest_{runs_, KeyPair::generate(), {true}, [] { return std::int64_t{1'700'000'000'000}; }};
};

TEST_F(ScorePerDollar, SeedPriceOfTheSameOffer) {
  const Row row = join(test::simulated_v100_result());
  EXPECT_EQ(row.match_level, "provider_gpu");
  EXPECT_EQ(row.price_usd, 1.72);
  EXPECT_DOUBLE_EQ(row.score_per_usd_hour.value(), test::simulated_v100_result().score.value.value() / 1.72);
  EXPECT_EQ(join(test::simulated_v100_result(8)).price_usd, 13.78);
}

TEST_F(ScorePerDollar, PerGpuPricesCountTheWholeMachine) {
  auto result = test::simulated_v100_result(8);
  result.platform.provider = "oracle";
  for (auto& device : result.devices) device.memory_bytes = std::int64_t{16160} << 20U;
  EXPECT_EQ(join(result).price_usd, 23.6);
}

TEST_F(ScorePerDollar, PricesAfterTheMeasurementAreNeverUsed) {
  auto result = test::simulated_v100_result();
  result.started_at = "2022-07-06T23:59:59.999Z";
  expect_none(result);
  result.started_at = "2022-07-07T00:00:00.000Z";
  EXPECT_EQ(join(result).match_level, "provider_gpu");
}

TEST_F(ScorePerDollar, ClosedPricesAreNotUsedFromTheirEndOn) {
  database_.execute("UPDATE price SET valid_to_ms = 1659355200000");  // 2022-08-01T12:00:00Z: half-open
  expect_none(test::simulated_v100_result());
}

TEST_F(ScorePerDollar, NothingIsSubstituted) {
  auto result = test::simulated_v100_result();
  result.platform.provider = "runpod";
  expect_none(result);
  result = test::simulated_v100_result(3);
  expect_none(result);
  result = test::simulated_v100_result();
  result.devices[0].model = "A100";
  expect_none(result);
  result = test::simulated_v100_result();
  result.platform.pricing_model = "spot";
  expect_none(result);
  result = test::simulated_v100_result();
  result.devices[0].memory_bytes = std::int64_t{16160} << 20U;  // the 16 GB card is another product
  expect_none(result);
}

TEST_F(ScorePerDollar, NotOffersAndPricesWithoutDollarsAreNotUsed) {
  auto uncertain = test::simulated_v100_result();  // "uncertain" whether the host is in this price
  uncertain.platform.provider = "gcp";
  uncertain.platform.pricing_model = "preemptible";
  expect_none(uncertain);
  auto yuan = test::simulated_v100_result(2);
  yuan.platform.provider = "baidu";
  yuan.platform.pricing_model = "monthly";
  for (auto& device : yuan.devices) {
    device.model = "Tesla P40";
    device.memory_bytes = std::int64_t{24576} << 20U;
  }
  expect_none(yuan);
  auto no_amount = test::simulated_v100_result(4);
  no_amount.platform.provider = "aws";
  for (auto& device : no_amount.devices) device.memory_bytes = std::int64_t{16160} << 20U;
  expect_none(no_amount);
}

TEST_F(ScorePerDollar, SpotAndPreemptibleAreOneClass) {
  auto result = test::simulated_v100_result();
  result.platform.provider = "aws";
  result.platform.pricing_model = "preemptible";
  EXPECT_EQ(join(result).price_usd, 1.2);
}

TEST_F(ScorePerDollar, LowerMedianOfSeveralPrices) {
  auto result = test::simulated_v100_result();
  result.platform.provider = "ibm";  // 2.49 and 3.06 on demand
  EXPECT_EQ(join(result).price_usd, 2.49);
  database_.execute(
      "UPDATE price SET price_instance_hour_usd_micro = 2000000 "
      "WHERE provider = 'ibm' AND amount = '1.95'");
  database_.execute("UPDATE price SET gpu_model = 'Tesla V100' WHERE provider = 'ibm' AND amount = '1.95'");
  EXPECT_EQ(join(result).price_usd, 2.49);  // now the middle of three
}

TEST_F(ScorePerDollar, NoGpuOrNoScoreGivesNull) {
  auto result = test::simulated_v100_result();
  result.devices[0].kind = DeviceKind::cpu;
  expect_none(result);
  result = test::simulated_v100_result();
  result.measurements.clear();
  result.score = score_run(result.devices, result.measurements);
  const Row row = join(result);
  EXPECT_EQ(row.price_usd, 1.72);
  EXPECT_EQ(row.score_per_usd_hour, std::nullopt);
}

}  // namespace
}  // namespace gpuassay
