// The rules of docs/PRICES.md under "Arithmetic", "Currency" and "Tax", with figures worked out by hand.
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/prices.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

PriceRow row_of(const char* amount, PriceUnit unit = PriceUnit::hour) {
  PriceRow row;
  row.provider = "aws";
  row.gpu_model = "Tesla V100";
  row.gpu_count = 8'000'000;
  row.pricing_model = "on_demand";
  row.amount = amount;
  row.unit = unit;
  row.valid_from_ms = parse_rfc3339_ms("2024-01-08T00:00:00Z");
  return row;
}

PriceRow computed(PriceRow row, const FxTable& rates = {}) {
  compute_hourly_prices(row, rates);
  return row;
}

FxTable euro() {
  return FxTable({{19727, "EUR", "1.0921", "bank"}, {19731, "EUR", "1.2", "bank"}});  // 2024-01-05 and -09
}

PriceRow in_euro(const char* from) {
  PriceRow row = row_of("2.00");
  row.currency = "EUR";
  row.valid_from_ms = parse_rfc3339_ms(std::string(from) + "T23:59:59Z");
  return computed(row, euro());
}

TEST(PriceArithmetic, UnitsAreOf1Over3600And1And730And8760Hours) {
  EXPECT_EQ(computed(row_of("0.001", PriceUnit::second)).price_instance_hour_usd, 3'600'000);
  EXPECT_EQ(computed(row_of("3.06")).price_instance_hour_usd, 3'060'000);
  EXPECT_EQ(computed(row_of("730", PriceUnit::month)).price_instance_hour_usd, 1'000'000);
  EXPECT_EQ(computed(row_of("720", PriceUnit::month)).price_instance_hour_usd, 986'301);  // 720/730, not 1
  EXPECT_EQ(computed(row_of("8760", PriceUnit::year)).price_instance_hour_usd, 1'000'000);
}

TEST(PriceArithmetic, TermIsItsMonthsTimes730) {
  PriceRow row = row_of("17520", PriceUnit::term);
  row.commitment_months = 12;
  EXPECT_EQ(computed(row).price_instance_hour_usd, 2'000'000);
  row.commitment_months.reset();
  EXPECT_THROW(computed(row), Error);
}

TEST(PriceArithmetic, ASourceMayCountItsMonthOtherwise) {
  PriceRow row = row_of("720", PriceUnit::month);
  row.hours_per_unit = "720";
  EXPECT_EQ(computed(row).price_instance_hour_usd, 1'000'000);
}

TEST(PriceArithmetic, CommitmentIsUpfrontPlusRecurringOverItsHours) {
  PriceRow row = row_of("1.00");
  row.pricing_model = "reserved";
  row.commitment_months = 12;
  row.upfront_amount = "8760";  // 12 x 730 hours: one dollar more for each
  EXPECT_EQ(computed(row).price_instance_hour_usd, 2'000'000);
}

TEST(PriceArithmetic, InstanceAndGpuAreBothFromUnroundedValues) {
  const PriceRow instance = computed(row_of("100", PriceUnit::month));
  EXPECT_EQ(instance.price_instance_hour_usd, 136'986);  // 0.136986301...
  EXPECT_EQ(instance.price_gpu_hour_usd, 17'123);        // 0.0171232877; of the rounded one it were 17123.25
  PriceRow row = row_of("0.0171232877");
  row.basis = PriceBasis::per_gpu;
  row = computed(row);
  EXPECT_EQ(row.price_gpu_hour_usd, 17'123);
  EXPECT_EQ(row.price_instance_hour_usd, 136'986);  // 0.1369863016; of the rounded one 136984
}

TEST(PriceArithmetic, RoundsHalfToEvenAtSixPlaces) {
  EXPECT_EQ(computed(row_of("1.0000005")).price_instance_hour_usd, 1'000'000);
  EXPECT_EQ(computed(row_of("1.0000015")).price_instance_hour_usd, 1'000'002);
  EXPECT_EQ(computed(row_of("1.00000150000000001")).price_instance_hour_usd, 1'000'002);
}

TEST(PriceArithmetic, FractionsOfGpusAreCounted) {
  PriceRow row = row_of("0.454");
  row.gpu_count = 166'667;
  EXPECT_EQ(computed(row).price_gpu_hour_usd, 2'723'995);  // 0.454 / 0.166667
}

TEST(Currency, RateOfTheDayOfValidFrom) {
  const PriceRow row = in_euro("2024-01-05");
  EXPECT_EQ(row.price_instance_hour_usd, 2'184'200);
  EXPECT_EQ(row.fx_rate, "1.0921");
  EXPECT_EQ(row.fx_date, "2024-01-05");
  EXPECT_EQ(row.price_instance_hour, 2'000'000) << "the original is kept";
}

TEST(Currency, LastEarlierRateAtMostSevenDaysOldNeverALaterOne) {
  EXPECT_EQ(in_euro("2024-01-08").fx_date, "2024-01-05");
  EXPECT_EQ(in_euro("2024-01-16").fx_date, "2024-01-09");
  EXPECT_EQ(in_euro("2024-01-17").price_instance_hour_usd, std::nullopt);
  EXPECT_EQ(in_euro("2024-01-04").price_instance_hour_usd, std::nullopt);
}

TEST(Currency, NoRateLeavesDollarsEmptyAndDollarsNeedNone) {
  PriceRow row = row_of("12");
  row.currency = "CNY";
  EXPECT_EQ(computed(row, euro()).price_gpu_hour_usd, std::nullopt);
  EXPECT_EQ(computed(row_of("12")).fx_rate, "1");
  row.currency = "EUR";
  row.valid_from_ms.reset();
  EXPECT_EQ(computed(row, euro()).price_instance_hour_usd, std::nullopt) << "without a date there is no rate";
}

TEST(Tax, IncludedAtAKnownRateIsTakenOut) {
  PriceRow row = row_of("1.19");
  row.tax = TaxTreatment::included;
  row.tax_rate = "0.19";
  EXPECT_EQ(computed(row).price_instance_hour_usd, 1'000'000);
}

TEST(Tax, UnknownIsUsedAsItIs) {
  PriceRow row = row_of("1.19");
  row.tax = TaxTreatment::unknown;
  EXPECT_EQ(computed(row).price_instance_hour_usd, 1'190'000);
}

TEST(RateFile, IsReadByColumnNameAndRefusedWithItsPlace) {
  const auto refusal = [](std::string_view text) -> std::string {
    ByteSource source = ByteSource::from_text(text);
    try {
      return std::to_string(read_fx_rates(source).size());
    } catch (const Error& error) {
      return error.what();
    }
  };
  EXPECT_EQ(refusal("source,usd_per_unit,date,currency\nb,1.1,2024-01-05,EUR\nb,1.1,2024-01-05,EUR\n"), "1");
  EXPECT_NE(refusal("date,currency,usd_per_unit,source\n2024-01-05,EUR,1.1,b\n2024-01-05,EUR,1.2,b\n").find("line 3"),
            std::string::npos);
  EXPECT_NE(refusal("date,currency,usd_per_unit,source\n2024-01,EUR,1.1,b\n").find("column date"), std::string::npos);
  EXPECT_NE(refusal("date,currency,usd_per_unit,source\n2024-01-05,EUR,0,b\n").find("above zero"), std::string::npos);
  EXPECT_NE(refusal("date,currency,source\n").find("usd_per_unit"), std::string::npos);
}

TEST(Ratio, IsExactAndRefusesWhatDoesNotFit) {
  const Ratio third = Ratio(Decimal{1, 0}).over(Ratio(Decimal{3, 0}));
  EXPECT_EQ(third.plus(third).plus(third).micros(), 1'000'000);
  EXPECT_EQ(third.times(Ratio(Decimal{3, 0})).micros(), 1'000'000);
  EXPECT_THROW((void)third.over(Ratio(Decimal{0, 0})), Error);
  Ratio large(Decimal{9'999'999'999'999'999'999U, 0});
  EXPECT_THROW((void)large.times(large).times(large), Error);
}

}  // namespace
}  // namespace gpuassay
