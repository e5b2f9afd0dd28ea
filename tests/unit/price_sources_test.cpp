// Each price format, on files of tests/fixtures/prices that were written by hand from the documented shapes.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "core/price_formats.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

std::string fixture(const std::string& name) {
  return std::string(GPUASSAY_SOURCE_DIR) + "/tests/fixtures/prices/" + name;
}

SourceContext context_of(const char* provider) {
  SourceContext context;
  context.label = "file";
  if (provider != nullptr) context.provider = provider;
  context.as_of = read_as_of("2026-11-01");
  return context;
}

PriceImport read(const char* format, const std::string& file, const SourceContext& context) {
  ByteSource source = ByteSource::from_file(fixture(file));
  return price_format_named(format).read(source, context);
}

const PriceRow& row_with(const PriceImport& import, const std::string& amount) {
  const auto found =
      std::find_if(import.rows.begin(), import.rows.end(), [&](const PriceRow& row) { return row.amount == amount; });
  if (found == import.rows.end()) throw std::runtime_error("no row of " + amount);
  return *found;
}

bool has_reason(const std::map<std::string, RefusedLines>& lines, std::string_view part) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const auto& entry) { return entry.first.find(part) != std::string::npos; });
}

TEST(Gpuhunt, OnDemandAndSpotAreRowsOfTheirOwn) {
  const PriceImport import = read("gpuhunt", "gpuhunt.csv", context_of("aws"));
  const PriceRow& row = row_with(import, "32.7726");
  EXPECT_EQ(row.provider, "aws");
  EXPECT_EQ(row.instance_type, "p4d.24xlarge");
  EXPECT_EQ(row.region, "us-east-1");
  EXPECT_EQ(row.gpu_model, "A100");
  EXPECT_EQ(row.gpu_count, 8'000'000);
  EXPECT_EQ(row.gpu_memory_gib_total, 320'000'000);
  EXPECT_EQ(row.pricing_model, "on_demand");
  EXPECT_EQ(row.price_gpu_hour_usd, 4'096'575);
  EXPECT_EQ(row.valid_from_ms, parse_rfc3339_ms("2026-11-01T00:00:00Z"));
  EXPECT_EQ(row_with(import, "9.8318").pricing_model, "spot");
  EXPECT_EQ(import.report.accepted(), 3U);
}

TEST(Gpuhunt, ZeroPricesUnknownNamesAndMachinesWithoutGpu) {
  const PriceImport import = read("gpuhunt", "gpuhunt.csv", context_of("aws"));
  EXPECT_TRUE(has_reason(import.report.quarantined_lines(), "zero is not a price"));
  EXPECT_EQ(row_with(import, "0.0").price_gpu_hour_usd, 0) << "kept, so that a join can say zero_price";
  EXPECT_TRUE(has_reason(import.report.rejected_lines(), "column gpu_name: the GPU name 'Q9000' is not known"));
  EXPECT_TRUE(has_reason(import.report.rejected_lines(), "no GPU"));
}

TEST(Gpuhunt, NeedsProviderAndDate) {
  EXPECT_THROW(read("gpuhunt", "gpuhunt.csv", context_of(nullptr)), Error);
  SourceContext undated = context_of("aws");
  undated.as_of.reset();
  EXPECT_THROW(read("gpuhunt", "gpuhunt.csv", undated), Error);
}

TEST(Gpuhunt, ABidFloorOfVastIsNotAPrice) {
  const PriceImport import = read("gpuhunt", "gpuhunt.csv", context_of("vastai"));
  EXPECT_TRUE(has_reason(import.report.rejected_lines(), "floor of a bid"));
}

TEST(Vast, MachineIdIsTheOfferAndHostMemoryIsScaledByCores) {
  const PriceImport import = read("vast", "vast.json", context_of(nullptr));
  ASSERT_EQ(import.rows.size(), 2U);
  const PriceRow& row = row_with(import, "0.7366666666666667");
  EXPECT_EQ(row.provider, "vastai");
  EXPECT_EQ(row.offer_id, "5501");
  EXPECT_EQ(row.gpu_model, "RTX 4090");
  EXPECT_EQ(row.gpu_count, 2'000'000);
  EXPECT_EQ(row.price_instance_hour_usd, 736'667);
  EXPECT_EQ(row.price_gpu_hour_usd, 368'333);  // 0.36833333333333335: exact from the text, no binary float between
  EXPECT_EQ(row.memory_gib, 125'839'844);      // 257720 MB x 32/64 / 1024
  const PriceRow& quadro = row_with(import, "0.47");
  EXPECT_EQ(quadro.gpu_model, "Quadro RTX 6000") << "told by its memory";
  EXPECT_EQ(quadro.product_line, "unverified");
  EXPECT_TRUE(has_reason(import.report.rejected_lines(), "floor of a bid"));
}

TEST(Skypilot, HostAndAcceleratorOfGcpAreComposed) {
  const PriceImport import = read("skypilot", "skypilot.csv", context_of("gcp"));
  const PriceRow& one =
      row_with(import, "3.679194");  // 0.745286 + 2.933908: issue 31 of the catalogue shows the host alone
  EXPECT_EQ(one.instance_type, "a2-highgpu-1g");
  EXPECT_EQ(one.basis, PriceBasis::instance);
  EXPECT_EQ(one.gpu_model, "A100");
  EXPECT_EQ(one.confidence, Confidence::inferred);
  EXPECT_EQ(row_with(import, "29.433552").gpu_count, 8'000'000);  // 5.962288 + 8 x 2.933908
  EXPECT_EQ(row_with(import, "1.178312").pricing_model, "spot");  // 0.298112 + 0.8802
  EXPECT_EQ(row_with(import, "0.745286").basis, PriceBasis::vm_only);
}

TEST(Skypilot, AMissingPartIsKeptAsUnusable) {
  const PriceImport import = read("skypilot", "skypilot.csv", context_of("gcp"));
  const auto missing =
      std::find_if(import.rows.begin(), import.rows.end(), [](const PriceRow& row) { return row.component_missing; });
  ASSERT_NE(missing, import.rows.end()) << "the card of 80 GB has no line; the one of 40 GB must not stand in for it";
  EXPECT_EQ(missing->instance_type, "a2-ultragpu-1g");
  EXPECT_EQ(missing->amount, std::nullopt);
}

TEST(Skypilot, PlaceholdersAreNoPrices) {
  EXPECT_TRUE(has_reason(read("skypilot", "skypilot.csv", context_of("gcp")).report.rejected_lines(), "tpu-v3-8"));
  const PriceImport azure = read("skypilot", "skypilot_azure.csv", context_of("azure"));
  EXPECT_EQ(row_with(azure, "3.06").pricing_model, "on_demand");
  EXPECT_EQ(row_with(azure, "0.9").pricing_model, "spot");
  EXPECT_EQ(std::count_if(azure.rows.begin(), azure.rows.end(), [](const PriceRow& row) { return !row.amount; }), 1)
      << "0 is unknown; 0.00 is no spot offer";
}

TEST(Azure, SpotByMeterNameReservationsByTermAndEverythingElseLeftOut) {
  const PriceImport import = read("azure", "azure.json", context_of(nullptr));
  EXPECT_EQ(import.report.accepted(), 4U);
  const PriceRow& row = row_with(import, "3.06");
  EXPECT_EQ(row.offer_id, "A/0001");
  EXPECT_EQ(row.gpu_model, "Tesla V100");
  EXPECT_EQ(row.valid_from_ms, parse_rfc3339_ms("2019-10-01T00:00:00Z"));
  EXPECT_EQ(row.observed_at_ms, parse_rfc3339_ms("2026-11-01T00:00:00Z"));
  EXPECT_EQ(row_with(import, "1.224").pricing_model, "spot");
  const PriceRow& reserved = row_with(import, "17520");
  EXPECT_EQ(reserved.commitment_months, 12);
  EXPECT_EQ(reserved.price_instance_hour_usd, 2'000'000) << "the whole term, whatever the unit says";
  EXPECT_EQ(row_with(import, "0.454").price_gpu_hour_usd, 2'723'995) << "a sixth of an A10";
  for (const char* reason : {"Windows", "low priority", "no GPU", "'Standard_NX9' is not known"})
    EXPECT_TRUE(has_reason(import.report.rejected_lines(), reason)) << reason;
}

TEST(Lambda, CentsForAllRegionsAndTheGpuInTheDescription) {
  const PriceImport import = read("lambda", "lambda.json", context_of(nullptr));
  const PriceRow& a100 = row_with(import, "14.32");
  EXPECT_EQ(a100.region, "*");
  EXPECT_EQ(a100.gpu_model, "A100");
  EXPECT_EQ(a100.gpu_variant, "SXM4");
  EXPECT_EQ(a100.gpu_memory_gib_total, 640'000'000);
  EXPECT_EQ(a100.price_gpu_hour_usd, 1'790'000);
  EXPECT_EQ(row_with(import, "0.50").gpu_model, "Quadro RTX 6000");
  EXPECT_EQ(import.report.rejected(), 1U);
}

TEST(Runpod, SecureAndCommunityAreDifferentProductsPerGpu) {
  const PriceImport import = read("runpod", "runpod.json", context_of(nullptr));
  const PriceRow& secure = row_with(import, "2.99");
  EXPECT_EQ(secure.product_line, "secure");
  EXPECT_EQ(secure.basis, PriceBasis::per_gpu);
  EXPECT_EQ(secure.gpu_variant, std::nullopt);
  EXPECT_EQ(import.report.accepted(), 4U) << "minimum bids are none of them";
  EXPECT_EQ(import.report.quarantined(), 1U) << "zero: not sold in the community cloud";
  const auto month = std::find_if(import.rows.begin(), import.rows.end(),
                                  [](const PriceRow& row) { return row.pricing_model == "reserved"; });
  ASSERT_NE(month, import.rows.end());
  EXPECT_EQ(month->commitment_months, 1);
}

TEST(Aws, OnlyOrdinaryOnDemandLinuxHours) {
  const PriceImport import = read("aws", "aws.csv", context_of(nullptr));
  ASSERT_EQ(import.report.accepted(), 2U);
  const PriceRow& row = row_with(import, "3.0600000000");
  EXPECT_EQ(row.offer_id, "K1.JRT.6YS");
  EXPECT_EQ(row.instance_type, "p3.2xlarge");
  EXPECT_EQ(row.memory_gib, 61'000'000);
  EXPECT_EQ(row.source_ref, "file line 7");
  for (const char* reason : {"Operating System is not Linux", "CapacityStatus is not Used", "no GPU",
                             "'z9.large' is not known", "TermType is not OnDemand"})
    EXPECT_TRUE(has_reason(import.report.rejected_lines(), reason)) << reason;
}

TEST(Normalized, EveryFieldByItsName) {
  SourceContext context = context_of(nullptr);
  ByteSource rates = ByteSource::from_file(fixture("rates.csv"));
  context.rates = FxTable(read_fx_rates(rates));
  const PriceImport import = read("normalized", "normalized.csv", context);
  ASSERT_EQ(import.report.accepted(), 4U) << import.report.details();
  const PriceRow& oracle = row_with(import, "3.05");
  EXPECT_EQ(oracle.provider, "oracle");
  EXPECT_EQ(oracle.gpu_variant, "SXM4");
  EXPECT_EQ(oracle.price_instance_hour_usd, 24'400'000);
  EXPECT_EQ(oracle.source_ref, "list line 1");
  EXPECT_EQ(oracle.source, "list");
  EXPECT_EQ(row_with(import, "1.19").price_instance_hour_usd, 1'092'100) << "net of tax, at the rate of the day before";
  EXPECT_EQ(row_with(import, "1.00").price_instance_hour_usd, 2'000'000) << "with its upfront payment";
  EXPECT_EQ(row_with(import, "1.00").valid_to_ms, parse_rfc3339_ms("2024-07-01T00:00:00Z"));
  EXPECT_EQ(row_with(import, "9000").price_instance_hour_usd, std::nullopt) << "the only rate is twelve days old";
}

TEST(Formats, AreRecognisedByTheirBeginning) {
  const std::pair<const char*, const char*> files[] = {
      {"gpuhunt.csv", "gpuhunt"},         {"vast.json", "vast"},   {"skypilot.csv", "skypilot"},
      {"skypilot_azure.csv", "skypilot"}, {"azure.json", "azure"}, {"lambda.json", "lambda"},
      {"runpod.json", "runpod"},          {"aws.csv", "aws"},      {"normalized.csv", "normalized"}};
  for (const auto& [file, format] : files) EXPECT_EQ(recognise_price_format(fixture(file)).name, format) << file;
  EXPECT_EQ(recognise_price_format(std::string(GPUASSAY_SOURCE_DIR) + "/core/data/seed_prices.csv").name, "seed");
  EXPECT_THROW(recognise_price_format(fixture("rates.csv")), Error);
  EXPECT_THROW(price_format_named("xml"), Error);
}

}  // namespace
}  // namespace gpuassay
