// Damaged, hostile and doubtful input: the load checks of docs/PRICES.md.
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/price_compose.h"
#include "core/price_sources/readers.h"

namespace gpuassay {
namespace {

constexpr std::string_view kHeader =
    "provider,instance_type,gpu_model,gpu_count,gpu_memory_gib_total,pricing_model,amount,currency,unit,valid_from";

PriceImport import_of(const std::string& text) {
  ByteSource source = ByteSource::from_text(text);
  return read_normalized_prices(source, {"file", {}, {}, {}});
}

PriceImport import_lines(const std::string& lines) { return import_of(std::string(kHeader) + "\n" + lines); }

/// The reasons of everything refused, or of the file when it is refused whole.
std::string refusal(const std::string& text) {
  try {
    return import_of(text).report.details();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unreadable_input);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << "one line";
    return std::string("whole: ") + error.what();
  }
}

std::string refusal_of_amount(const std::string& amount) {
  return refusal(std::string(kHeader) + "\naws,x,A100,1,40,on_demand," + amount + ",USD,hour,2024-01-01\n");
}

void expect_part(const std::string& text, std::string_view part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(BadInput, AmountsArePlainDigitsWithOnePoint) {
  for (const char* amount : {"\"1,234.50\"", "$1.72", "€2", "-1.5", "1.7.2", "1e5", "free", " 1"}) {
    const std::string told = refusal_of_amount(amount);
    expect_part(told, "1 rejected: column amount: ");
    expect_part(told, "(line 2)");
  }
  EXPECT_EQ(refusal_of_amount("1.72"), "");
}

TEST(BadInput, ZeroIsNotAPriceButIsKeptForItsReason) {
  expect_part(refusal_of_amount("0.00"), "1 quarantined: zero is not a price (line 2)");
  EXPECT_EQ(import_lines("aws,x,A100,1,40,on_demand,0,USD,hour,2024-01-01\n").rows.size(), 1U);
}

TEST(BadInput, ImplausiblePricesAreQuarantined) {
  expect_part(refusal_of_amount("0.004999"), "implausible");
  expect_part(refusal_of_amount("200.000001"), "implausible");
  EXPECT_EQ(refusal_of_amount("0.005"), "");
  EXPECT_EQ(refusal_of_amount("200"), "");
  EXPECT_TRUE(import_lines("aws,x,A100,1,40,on_demand,700,USD,hour,2024-01-01\n").rows.empty());
}

TEST(BadInput, ByteOrderMarkCrLfReorderedAndExtraColumns) {
  const PriceImport import = import_of(
      "\xEF\xBB\xBFunit,extra,valid_from,provider,amount,gpu_model,gpu_count,pricing_model,currency\r\n"
      "hour,?,2024-01-01,aws,1.72,V100,1,on_demand,USD\r\n");
  ASSERT_EQ(import.rows.size(), 1U);
  EXPECT_EQ(import.rows.front().price_instance_hour_usd, 1'720'000);
}

TEST(BadInput, MissingColumnsAreNamed) {
  const std::string told = refusal("provider,gpu_model,gpu_count,pricing_model,valid_from\n");
  expect_part(told,
              "whole: CSV line 1, column 1: this is no normalized price file: it has no column amount, currency, unit");
}

TEST(BadInput, OtherEncodingsAreRefusedWithTheirPlace) {
  expect_part(
      refusal(std::string(kHeader) +
              "\naws,x,A100,1,40,on_demand,1,USD,hour,2024-01-01\naws,\xE9,A100,1,40,on_demand,1,USD,hour,2024\n"),
      "whole: CSV line 3, column 2: byte 1 of the cell is not UTF-8");
  expect_part(refusal("\xFF\xFEp"), "UTF-16");
  expect_part(refusal(""), "the file is empty");
  expect_part(refusal(std::string("provider\0", 9)), "zero byte");
}

TEST(BadInput, ARowOfAnotherLengthIsRefusedWithItsPlace) {
  expect_part(refusal(std::string(kHeader) + "\naws,x,A100,1\n"),
              "whole: CSV line 2, column 5: 4 cells where the header has 10");
}

TEST(BadInput, UnknownGpuNamesAreListed) {
  const std::string told = import_lines(
                               "aws,x,Q9000,1,,on_demand,1,USD,hour,2024-01-01\n"
                               "aws,y,RTX 6000,1,,on_demand,1,USD,hour,2024-01-01\n"
                               "aws,z,Q9000,1,,on_demand,1,USD,hour,2024-01-01\n")
                               .report.details();
  expect_part(told, "2 rejected: column gpu_model: the GPU name 'Q9000' is not known");
  expect_part(told, "(line 2, line 4)");
  expect_part(told, "its memory is needed to tell (line 3)");
}

TEST(BadInput, CountsCurrenciesDatesAndUnits) {
  for (const char* line :
       {"aws,x,A100,0,40,on_demand,1,USD,hour,2024-01-01", "aws,x,A100,-1,40,on_demand,1,USD,hour,2024-01-01",
        "aws,x,A100,1,40,on_demand,1,usd,hour,2024-01-01", "aws,x,A100,1,40,on_demand,1,USD,week,2024-01-01",
        "aws,x,A100,1,40,on_demand,1,USD,hour,2024-02-30", "aws,x,A100,1,40,cheap,1,USD,hour,2024-01-01",
        "a b,x,A100,1,40,on_demand,1,USD,hour,2024-01-01", "aws,x,A100,99999999,40,on_demand,1,USD,hour,2024"})
    EXPECT_EQ(import_lines(std::string(line) + "\n").report.rejected(), 1U) << line;
}

TEST(LoadChecks, MemoryMustBeOfTheModel) {
  expect_part(refusal(std::string(kHeader) + "\naws,x,A100,8,64,on_demand,1,USD,hour,2024-01-01\n"),
              "1 quarantined: no A100 has this much memory per device");
  EXPECT_EQ(import_lines("aws,x,A100,8,640,on_demand,10,USD,hour,2024-01-01\n").report.accepted(), 1U);
}

TEST(LoadChecks, K80AboveEighteenGibPerDeviceCountsTwo) {
  const auto count = [](const char* memory) {
    return import_lines(std::string("aws,x,K80,1,") + memory + ",on_demand,0.9,USD,hour,2019\n").rows.at(0).gpu_count;
  };
  EXPECT_EQ(count("24"), 2'000'000);
  EXPECT_EQ(count("12"), 1'000'000);
  EXPECT_EQ(count(""), 1'000'000);
}

TEST(LoadChecks, SpotThatIsDearerOrACopyIsAWarning) {
  ByteSource dearer = ByteSource::from_text(
      "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot,disk_size\n"
      "a,r,1.0,4,16,1,T4,16,False,\na,r,1.5,4,16,1,T4,16,True,\nb,r,1.0,4,16,1,T4,16,False,\nb,r,0.5,4,16,1,T4,16,True,"
      "\n");
  SourceContext context{"file", "aws", read_as_of("2024-01-01"), {}};
  expect_part(read_gpuhunt_prices(dearer, context).report.details(),
              "warning: 1 offers cost less on demand than as spot");
  ByteSource copied = ByteSource::from_text(
      "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot,disk_size\n"
      "a,r,1.0,4,16,1,T4,16,False,\na,r,1.0,4,16,1,T4,16,True,\n");
  expect_part(read_gpuhunt_prices(copied, context).report.details(), "one was copied");
}

TEST(LoadChecks, ACatalogueThatContradictsItselfKeepsNeitherRow) {
  ByteSource file = ByteSource::from_text(
      "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot,disk_size\n"
      "a,r,1.0,4,16,1,T4,16,False,\na,r,1.5,4,16,1,T4,16,False,\nb,r,1.0,4,16,1,T4,16,False,\nb,r,1.0,4,16,1,T4,16,"
      "False,\n");
  const PriceImport import = read_gpuhunt_prices(file, {"file", "aws", read_as_of("2024-01-01"), {}});
  EXPECT_EQ(import.rows.size(), 1U);
  EXPECT_EQ(import.report.quarantined(), 2U);
}

TEST(Composition, HostPlusCountTimesAddonOfOneInstant) {
  const std::string header =
      "provider,instance_type,gpu_model,gpu_count,gpu_memory_gib_total,pricing_model,price_basis,amount,currency,unit,"
      "valid_from,region\n";
  const PriceImport import = import_of(header +
                                       "gcp,a2-highgpu-2g,A100,2,80,on_demand,vm_only,1.5,USD,hour,2024-01-01,r1\n"
                                       "gcp,,A100,1,40,on_demand,gpu_addon,2.93,USD,hour,2024-01-01,r1\n"
                                       "gcp,a2-highgpu-1g,A100,1,40,on_demand,vm_only,0.75,USD,hour,2024-01-02,r1\n");
  ASSERT_EQ(import.rows.size(), 5U);
  EXPECT_EQ(import.rows.at(3).amount, "7.36");
  EXPECT_EQ(import.rows.at(3).price_gpu_hour_usd, 3'680'000);
  EXPECT_FALSE(import.rows.at(3).component_missing);
  EXPECT_TRUE(import.rows.at(4).component_missing) << "the add-on has no price of that day";
}

TEST(Json, IsRefusedWithLineAndColumn) {
  const auto refusal_of = [](std::string_view text) -> std::string {
    ByteSource source = ByteSource::from_text(text);
    try {
      read_vast_prices(source, {"file", {}, read_as_of("2024"), {}});
      return "accepted";
    } catch (const Error& error) {
      return error.what();
    }
  };
  expect_part(refusal_of("{\"offers\": [\n  {\"a\": }\n]}"), "JSON line 2, column ");
  expect_part(refusal_of("{}"), "it has no 'offers'");
  EXPECT_EQ(refusal_of("{\"offers\": [1, null, \"x\", {\"machine_id\": {}}]}"), "accepted")
      << "each is a rejected line";
}

}  // namespace
}  // namespace gpuassay
