#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/price_sources/readers.h"
#include "core/price_store.h"
#include "core/seed_prices.h"
#include "core/sqlite.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

constexpr std::string_view kColumns =
    "provider,product_line,instance_type,gpu_model,gpu_count,gpu_memory_gib_total,vcpus,memory_gib,pricing_model,"
    "amount,"
    "currency,unit,as_of,seed_file,note\n";

std::string file_of(std::string_view lines) { return std::string(kColumns) + std::string(lines); }

PriceImport read_text(std::string_view text) {
  ByteSource source = ByteSource::from_text(text);
  return read_seed_prices(source, {"seed.csv", {}, {}});
}

PriceImport import_of(std::vector<PriceRow> rows) {
  PriceImport import;
  import.rows = std::move(rows);
  return import;
}

const PriceRow& only(const PriceImport& import) {
  EXPECT_EQ(import.rows.size(), 1U);
  return import.rows.at(0);
}

const PriceRow& find(const PriceImport& import, std::string_view provider, std::string_view model, Micros count,
                     std::string_view amount) {
  const auto found = std::find_if(import.rows.begin(), import.rows.end(), [&](const PriceRow& row) {
    return row.provider == provider && row.gpu_model == model && row.gpu_count == count && row.amount == amount;
  });
  if (found == import.rows.end()) throw std::runtime_error("no such row");
  return *found;
}

TEST(SeedPrices, EveryLineOfTheEmbeddedFileIsAccountedFor) {
  const auto import = bundled_seed_prices();
  EXPECT_EQ(import.report.accepted() + import.report.quarantined() + import.report.rejected(), 67U);
  EXPECT_EQ(import.report.accepted(), import.rows.size());
  EXPECT_EQ(import.report.quarantined(), 0U);
  // Five prose figures without hardware and one disk.
  ASSERT_EQ(import.report.rejected_lines().size(), 1U);
  EXPECT_EQ(import.report.rejected_lines().begin()->first, "no GPU stated: not the price of an offer");
  EXPECT_EQ(import.report.rejected(), 6U);
  const auto without_amount =
      std::count_if(import.rows.begin(), import.rows.end(), [](const PriceRow& row) { return !row.amount; });
  EXPECT_EQ(without_amount, 9);
}

TEST(SeedPrices, InstanceAndPerGpuPricesAreWorkedOutByBasis) {
  const auto import = bundled_seed_prices();
  const auto& tencent = find(import, "tencent", "Tesla V100", 8'000'000, "13.78");
  EXPECT_EQ(tencent.price_instance_hour_usd, 13'780'000);
  EXPECT_EQ(tencent.price_gpu_hour_usd, 1'722'500);
  const auto& oracle = find(import, "oracle", "Tesla V100", 8'000'000, "2.95");
  EXPECT_EQ(oracle.basis, PriceBasis::per_gpu);
  EXPECT_EQ(oracle.price_instance_hour_usd, 23'600'000);
  EXPECT_EQ(oracle.price_gpu_hour_usd, 2'950'000);
}

TEST(SeedPrices, MonthIs730HoursAndItsPricingModelIsKept) {
  const auto import = bundled_seed_prices();
  const auto& azure = find(import, "azure", "Tesla P40", 1'000'000, "1511.10");
  EXPECT_EQ(azure.pricing_model, "on_demand");
  EXPECT_EQ(azure.unit, PriceUnit::month);
  EXPECT_EQ(azure.commitment_months, std::nullopt);
  EXPECT_EQ(azure.price_instance_hour_usd, 2'070'000);
  const auto& ibm = find(import, "ibm", "Tesla V100", 1'000'000, "2233");
  EXPECT_EQ(ibm.pricing_model, "monthly");
  EXPECT_EQ(ibm.commitment_months, 1);
  EXPECT_EQ(ibm.price_instance_hour_usd, 3'058'904);
}

TEST(SeedPrices, OtherCurrencyHasNoDollarPrice) {
  const auto import = bundled_seed_prices();
  const auto& baidu = find(import, "baidu", "Tesla K40", 4'000'000, "12660");
  EXPECT_EQ(baidu.currency, "CNY");
  EXPECT_EQ(baidu.price_instance_hour, 17'342'466);
  EXPECT_EQ(baidu.price_instance_hour_usd, std::nullopt);
  EXPECT_EQ(baidu.price_gpu_hour_usd, std::nullopt);
}

TEST(SeedPrices, DatesStartAtTheFirstInstantOfTheirPeriod) {
  const auto import = bundled_seed_prices();
  const auto& year = find(import, "aws", "Tesla K80", 1'000'000, "0.9");
  EXPECT_EQ(year.as_of_precision, DatePrecision::year);
  EXPECT_EQ(year.valid_from_ms, parse_rfc3339_ms("2019-01-01T00:00:00Z"));
  const auto& day = find(import, "lambda", "Tesla V100", 8'000'000, "6.80");
  EXPECT_EQ(day.as_of_precision, DatePrecision::day);
  EXPECT_EQ(day.valid_from_ms, parse_rfc3339_ms("2022-07-07T00:00:00Z"));
  EXPECT_EQ(day.valid_to_ms, std::nullopt);
  EXPECT_EQ(day.source_ref, "000_b2fb0bfa43d2976c.txt (seed line 14)");
}

TEST(SeedPrices, DocumentedTrapsAreHandled) {
  const auto import = bundled_seed_prices();
  // Two machines of one shape: their series differ, so that one does not replace the other.
  const auto& rdma = find(import, "azure", "Tesla P40", 4'000'000, "6648.84");
  const auto& plain = find(import, "azure", "Tesla P40", 4'000'000, "6044.40");
  EXPECT_NE(series_key(rdma), series_key(plain));
  EXPECT_EQ(rdma.product_line, "ND series RDMA");
  EXPECT_EQ(plain.product_line, "ND series");
  const auto& disk = find(import, "lambda", "Tesla V100", 8'000'000, "6.80");
  EXPECT_EQ(disk.memory_gib, std::nullopt);
  EXPECT_EQ(disk.local_disk_gb, 6'041'600'000);
  EXPECT_EQ(find(import, "gcp", "Tesla T4", 1'000'000, "0.35").basis, PriceBasis::uncertain);
  EXPECT_EQ(find(import, "oracle", "Tesla P100", 1'000'000, "1.275").confidence, Confidence::garbled);
}

TEST(SeedPrices, K80BoardCountsTwoDevices) {
  const auto k80 = [](const char* memory) {
    return read_text(
        file_of(std::string("aws,EC2,x,Tesla K80,1,") + memory + ",,,on_demand,0.90,USD,hour,2019,f,basis=instance\n"));
  };
  EXPECT_EQ(only(k80("24")).gpu_count, 2'000'000);
  EXPECT_EQ(only(k80("24")).price_gpu_hour_usd, 450'000);
  EXPECT_EQ(only(k80("12")).gpu_count, 1'000'000);
  EXPECT_EQ(only(k80("")).gpu_count, 1'000'000);
}

TEST(SeedPrices, BadLinesAreRejectedOrQuarantinedWithTheirLine) {
  const auto import =
      read_text(file_of("aws,,x,A100,1,,,,on_demand,1.5,USD,hour,2020-06,f,basis=instance\n"
                        "aws,,x,A100,1,,,,on_demand,\"1,5\",USD,hour,2020,f,basis=instance\n"
                        "aws,,x,A100,1,,,,on_demand,-1,USD,hour,2020,f,basis=instance\n"
                        "aws,,x,A100,1,,,,on_demand,1,usd,hour,2020,f,basis=instance\n"
                        "aws,,x,A100,1,,,,on_demand,1,USD,week,2020,f,basis=instance\n"
                        "aws,,x,A100,1,,,,cheap,1,USD,hour,2020,f,basis=instance\n"
                        "aws,,x,A100,1,,,,on_demand,1,USD,hour,2020-13,f,basis=instance\n"
                        "aws,,x,A100,1,,,,on_demand,1,USD,hour,,f,basis=instance\n"
                        "aws,,x,A100,1,,,,on_demand,1,USD,hour,2020,f,no token\n"
                        "aws,,x,A100,0,,,,on_demand,1,USD,hour,2020,f,basis=instance\n"
                        ",,x,A100,1,,,,on_demand,1,USD,hour,2020,f,basis=instance\n"
                        "aws,,x,A100,1,,,,on_demand,0,USD,hour,2020,f,basis=instance\n"
                        "aws,,x,A100,1,,,,on_demand,0.004999,USD,hour,2020,f,basis=instance\n"
                        "aws,,x,A100,1,,,,on_demand,200.000001,USD,hour,2020,f,basis=instance\n"));
  ASSERT_EQ(import.rows.size(), 2U) << "the price of zero is kept so that a join can say why it is not used";
  EXPECT_EQ(import.rows.front().as_of_precision, DatePrecision::month);
  EXPECT_EQ(import.report.accepted(), 1U);
  EXPECT_EQ(import.report.rejected(), 10U);
  const std::string told = import.report.details();
  EXPECT_NE(told.find("column amount: '1,5' is not a plain number"), std::string::npos) << told;
  EXPECT_NE(told.find("1 quarantined: zero is not a price (line 13)"), std::string::npos) << told;
  EXPECT_NE(told.find("2 quarantined: implausible: a GPU and hour cost between 0.005 and 200 USD (line 14, line 15)"),
            std::string::npos)
      << told;
}

TEST(SeedPrices, AnotherFormatIsRefusedWhole) {
  EXPECT_THROW(read_text("a,b\n1,2\n"), Error);
  EXPECT_THROW(read_text(""), Error);
}

TEST(PriceStore, SecondImportChangesNothing) {
  SqliteDatabase database(":memory:");
  PriceStore store(database);
  const auto import = bundled_seed_prices();
  const auto first = store.store(import);
  EXPECT_EQ(first.inserted, 61U);
  EXPECT_EQ(store.count(), 61U);
  const auto second = store.store(import);
  EXPECT_EQ(second.inserted, 0U);
  EXPECT_EQ(second.confirmed, 0U);
  EXPECT_EQ(second.unchanged, 61U);
  EXPECT_EQ(store.count(), 61U);
}

PriceRow offer(const char* amount, const char* from) {
  PriceRow row;
  row.provider = "aws";
  row.instance_type = "p3.2xlarge";
  row.gpu_model = "Tesla V100";
  row.gpu_count = 1'000'000;
  row.pricing_model = "on_demand";
  row.amount = amount;
  row.currency = "USD";
  row.valid_from_ms = row.observed_at_ms = parse_rfc3339_ms(std::string(from) + "T00:00:00Z");
  row.source = row.source_ref = row.source_kind = "catalog";
  compute_hourly_prices(row);
  return row;
}

std::string intervals(Database& database) {
  Statement query(database,
                  "SELECT amount, valid_from_ms, valid_to_ms, observed_at_ms FROM price ORDER BY valid_from_ms");
  std::string text;
  const auto day = [](std::int64_t ms) { return format_rfc3339_ms(ms).substr(0, 10); };
  while (query.step())
    text += query.text(0) + " " + day(query.integer(1)) + ".." + (query.is_null(2) ? "" : day(query.integer(2))) +
            " seen " + day(query.integer(3)) + "\n";
  return text;
}

TEST(PriceStore, NewAmountClosesTheIntervalSameAmountConfirmsIt) {
  SqliteDatabase database(":memory:");
  PriceStore store(database);
  store.store(import_of({offer("3.06", "2020-01-01")}));
  EXPECT_EQ(store.store(import_of({offer("3.06", "2020-02-01")})).confirmed, 1U);
  EXPECT_EQ(store.store(import_of({offer("2.90", "2020-03-01")})).inserted, 1U);
  const std::string expected =
      "3.06 2020-01-01..2020-03-01 seen 2020-02-01\n"
      "2.90 2020-03-01.. seen 2020-03-01\n";
  EXPECT_EQ(intervals(database), expected);
  store.store(import_of({offer("2.90", "2020-03-01"), offer("3.06", "2020-02-01"), offer("3.06", "2020-01-01")}));
  EXPECT_EQ(intervals(database), expected);
}

TEST(PriceStore, OlderPriceImportedLaterEndsWhereTheNextBegins) {
  SqliteDatabase database(":memory:");
  PriceStore store(database);
  store.store(import_of({offer("2.90", "2020-03-01")}));
  store.store(import_of({offer("3.06", "2020-01-01")}));
  EXPECT_EQ(intervals(database),
            "3.06 2020-01-01..2020-03-01 seen 2020-01-01\n"
            "2.90 2020-03-01.. seen 2020-03-01\n");
}

TEST(PriceStore, ContradictionRefusesTheWholeFile) {
  SqliteDatabase database(":memory:");
  PriceStore store(database);
  EXPECT_THROW(
      store.store(import_of({offer("1.00", "2019-01-01"), offer("3.06", "2020-01-01"), offer("3.07", "2020-01-01")})),
      Error);
  EXPECT_EQ(store.count(), 0U);
  auto until_june = offer("3.06", "2020-01-01");
  until_june.valid_to_ms = offer("1", "2020-06-01").valid_from_ms;
  store.store(import_of({until_june}));
  EXPECT_THROW(store.store(import_of({offer("2.00", "2020-05-01")})), Error);
  auto overlapping = offer("2.00", "2019-12-01");
  overlapping.valid_to_ms = offer("1", "2020-02-01").valid_from_ms;
  EXPECT_THROW(store.store(import_of({overlapping})), Error);
  EXPECT_EQ(intervals(database), "3.06 2020-01-01..2020-06-01 seen 2020-01-01\n");
}

TEST(PriceStore, StatedIntervalsOfOneFileMustNotOverlap) {
  SqliteDatabase database(":memory:");
  PriceStore store(database);
  PriceRow first = offer("3.06", "2020-01-01");
  first.valid_to_ms = offer("1", "2020-03-01").valid_from_ms;
  const PriceRow second = offer("3.06", "2020-02-01");
  EXPECT_THROW(store.store(import_of({second, first})), Error) << "even with the same amount";
  EXPECT_EQ(store.count(), 0U);
}

TEST(PriceStore, AnOfferThatACompleteListLacksEndsAtItsInstant) {
  SqliteDatabase database(":memory:");
  PriceStore store(database);
  const auto snapshot = [](std::vector<PriceRow> rows, const char* day) {
    PriceImport import = import_of(std::move(rows));
    import.complete = CompleteList{"catalog", *offer("1", day).valid_from_ms, {}};
    return import;
  };
  PriceRow other = offer("9.00", "2020-02-01");
  other.instance_type = "other";
  store.store(snapshot({offer("3.06", "2020-01-01")}, "2020-01-01"));
  EXPECT_EQ(store.store(snapshot({other}, "2020-02-01")).closed, 1U);
  EXPECT_EQ(intervals(database),
            "3.06 2020-01-01..2020-02-01 seen 2020-01-01\n"
            "9.00 2020-02-01.. seen 2020-02-01\n");
  EXPECT_EQ(store.store(snapshot({other}, "2020-02-01")).closed, 0U) << "repeating changes nothing";
}

TEST(PriceStore, OrderOfLinesChangesNothing) {
  const std::vector<PriceRow> rows{offer("1.00", "2020-01-01"), offer("1.00", "2020-02-01"),
                                   offer("2.00", "2020-03-01"), offer("1.00", "2020-04-01")};
  std::vector<PriceRow> shuffled{rows[2], rows[0], rows[3], rows[1]};
  SqliteDatabase left(":memory:");
  SqliteDatabase right(":memory:");
  PriceStore(left).store(import_of(rows));
  PriceStore(right).store(import_of(shuffled));
  EXPECT_EQ(intervals(left), intervals(right));
  EXPECT_EQ(intervals(left),
            "1.00 2020-01-01..2020-03-01 seen 2020-02-01\n"
            "2.00 2020-03-01..2020-04-01 seen 2020-03-01\n"
            "1.00 2020-04-01.. seen 2020-04-01\n");
}

TEST(PriceStore, RatesImportedLaterConvertWhatWaits) {
  SqliteDatabase database(":memory:");
  PriceStore store(database);
  PriceRow yuan = offer("10", "2024-01-08");
  yuan.currency = "CNY";
  compute_hourly_prices(yuan);
  store.store(import_of({yuan}));
  const std::vector<FxRate> rates{{19727, "CNY", "0.14", "bank"}};
  EXPECT_EQ(store.store_rates(rates).converted, 1U);
  EXPECT_EQ(store.store_rates(rates).converted, 0U);
  Statement query(database, "SELECT price_instance_hour_usd_micro, fx_rate, fx_date FROM price");
  ASSERT_TRUE(query.step());
  EXPECT_EQ(query.integer(0), 1'400'000);
  EXPECT_EQ(query.text(1), "0.14");
  EXPECT_EQ(query.text(2), "2024-01-05");
  EXPECT_THROW(store.store_rates({{19727, "CNY", "0.15", "bank"}}), Error);
}

TEST(PriceStore, TablesOfTheFirstVersionAreReplaced) {
  SqliteDatabase database(":memory:");
  database.execute(
      "CREATE TABLE schema_migration (component TEXT NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (component, "
      "version));"
      "INSERT INTO schema_migration VALUES ('price', 1); CREATE TABLE price (price_id TEXT)");
  PriceStore store(database);
  EXPECT_EQ(store.store(bundled_seed_prices()).inserted, 61U);
}

TEST(Prices, IdentityIsStableAndDistinguishesNullFromEmpty) {
  const auto row = offer("3.06", "2020-01-01");
  EXPECT_EQ(price_id(row), price_id(offer("9.99", "2020-01-01")));  // the amount is not part of it
  EXPECT_NE(price_id(row), price_id(offer("3.06", "2020-01-02")));
  auto empty_region = row;
  empty_region.region = "";
  EXPECT_NE(series_key(row), series_key(empty_region));
  auto shifted = row;
  shifted.provider = "aw";
  shifted.product_line = "s";
  EXPECT_NE(series_key(row), series_key(shifted));
}

}  // namespace
}  // namespace gpuassay
