#include "agent/options.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace gpuassay {
namespace {

std::variant<Options, HelpText> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "gpuassay");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

RunOptions run_options(const std::vector<const char*>& arguments) {
  return std::get<RunOptions>(std::get<Options>(parse(arguments)).command);
}

std::string usage_error(const std::vector<const char*>& arguments) {
  try {
    parse(arguments);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << "one line";
    return error.what();
  }
  return "accepted";
}

TEST(Options, DefaultsOfRun) {
  const RunOptions run = run_options({"run"});
  EXPECT_EQ(run.profile, Profile::standard);
  EXPECT_EQ(run.device, "auto");
  EXPECT_FALSE(run.max_seconds || run.price_usd_per_hour || run.out || run.upload_url || run.json || run.offline);
}

TEST(Options, DoctorAndItsExitCodesInItsHelp) {
  const auto json = [](const std::vector<const char*>& arguments) {
    return std::get<DoctorOptions>(std::get<Options>(parse(arguments)).command).json;
  };
  EXPECT_FALSE(json({"doctor"}));
  EXPECT_TRUE(json({"doctor", "--json"}));
  const std::string help = std::get<HelpText>(parse({"doctor", "--help"})).text;
  EXPECT_NE(help.find("3 nothing, 6 not saved"), std::string::npos) << help;
}

TEST(Options, EstimateTakesOneNameAndAPrecision) {
  const auto estimate = [](const std::vector<const char*>& arguments) {
    return std::get<EstimateOptions>(std::get<Options>(parse(arguments)).command);
  };
  const EstimateOptions plain = estimate({"estimate", "Tesla T4"});
  EXPECT_EQ(plain.gpu, "Tesla T4");
  EXPECT_EQ(plain.precision, EstimatePrecision::best);
  EXPECT_FALSE(plain.json);
  EXPECT_EQ(estimate({"estimate", "T4", "--precision", "fp32"}).precision, EstimatePrecision::fp32);
  EXPECT_EQ(estimate({"estimate", "--json", "--precision", "mixed", "T4"}).precision, EstimatePrecision::mixed);
  EXPECT_NE(usage_error({"estimate"}).find("GPU_NAME"), std::string::npos);
  EXPECT_NE(usage_error({"estimate", "T4", "--precision", "fp16"}).find("fp32"), std::string::npos);
  EXPECT_NE(usage_error({"estimate", "Tesla", "T4"}), "accepted") << "a name of two words is quoted";
}

TEST(Options, CompareTakesTwoToAHundredResults) {
  const auto compare = [](const std::vector<const char*>& arguments) {
    return std::get<CompareOptions>(std::get<Options>(parse(arguments)).command);
  };
  EXPECT_EQ(compare({"compare", "a", "b"}).results, (std::vector<std::filesystem::path>{"a", "b"}));
  EXPECT_FALSE(compare({"compare", "a", "b"}).json);
  EXPECT_TRUE(compare({"compare", "a", "--json", "b"}).json);
  EXPECT_EQ(compare({"compare", "a", "--json", "b"}).results.size(), 2U);
  EXPECT_NE(usage_error({"compare"}).find("RESULT"), std::string::npos);
  EXPECT_NE(usage_error({"compare", "a"}).find("2 to 100 results, not 1"), std::string::npos);
  std::vector<const char*> many(101, "a");
  many.insert(many.begin(), "compare");
  EXPECT_NE(usage_error(many).find("not 101"), std::string::npos);
  many.pop_back();
  EXPECT_EQ(compare(many).results.size(), 100U);
}

TEST(Options, EveryFlagOfRun) {
  const RunOptions run =
      run_options({"run", "--profile", "quick", "--device", "cpu", "--max-seconds", "12.5", "--price", "0.35",
                   "--max-cost", "0.01", "--out", "x.json", "--upload", "http://h", "--json"});
  EXPECT_EQ(run.profile, Profile::quick);
  EXPECT_EQ(run.max_seconds, 12.5);
  EXPECT_EQ(run.price_usd_per_hour, "0.35");
  EXPECT_EQ(run.max_cost_usd, "0.01");
  EXPECT_EQ(run.out, "x.json");
  EXPECT_EQ(run.upload_url, "http://h");
  EXPECT_FALSE(run.network_target);
  EXPECT_TRUE(run.json);
}

TEST(Options, RepeatsAreTwoToAHundred) {
  EXPECT_EQ(run_options({"run"}).repeat, 1);
  EXPECT_EQ(run_options({"run", "--repeat", "5"}).repeat, 5);
  for (const char* wrong : {"0", "1", "101", "many", "-3"})
    EXPECT_NE(usage_error({"run", "--repeat", wrong}).find("--repeat"), std::string::npos) << wrong;
  EXPECT_NE(usage_error({"run", "--repeat", "2", "--once", "boot"}).find("--repeat"), std::string::npos);
  EXPECT_NE(usage_error({"run", "--repeat", "2", "--out", "f"}).find("--repeat"), std::string::npos);
}

TEST(Options, RequirementsAreReadBeforeAnythingIsMeasured) {
  const RunOptions run =
      run_options({"run", "--require", "fraction_of_expected>=0.9", "--json", "--require", "triad.burst > 100"});
  ASSERT_EQ(run.requirements.size(), 2U);
  EXPECT_EQ(run.requirements[0].path, "score.fraction_of_expected");
  EXPECT_EQ(run.requirements[1].path, "summary.instance.bandwidth_gb_per_s.triad.burst");
  EXPECT_TRUE(run.json);
  EXPECT_NE(usage_error({"run", "--require", "speed>=1"}).find("no result has 'speed'"), std::string::npos);
  EXPECT_NE(usage_error({"run", "--require"}).find("--require"), std::string::npos);
}

TEST(Options, GlobalFlagsStandAnywhere) {
  EXPECT_EQ(std::get<Options>(parse({"--data-dir", "/d", "run"})).global.data_dir, "/d");
  const Options after = std::get<Options>(parse({"run", "--quiet", "--data-dir", "/d"}));
  EXPECT_TRUE(after.global.quiet);
  EXPECT_EQ(after.global.data_dir, "/d");
}

TEST(Options, OtherCommands) {
  EXPECT_TRUE(std::get<ProbeOptions>(std::get<Options>(parse({"probe", "--json"})).command).json);
  EXPECT_EQ(std::get<ShowOptions>(std::get<Options>(parse({"show", "f"})).command).result, "f");
  EXPECT_TRUE(std::get<ScoreOptions>(std::get<Options>(parse({"score", "f", "--explain"})).command).explain);
  EXPECT_EQ(std::get<SchemaOptions>(std::get<Options>(parse({"schema", "result"})).command).name, "result");
  const auto import =
      std::get<PriceImportOptions>(std::get<Options>(parse({"price", "import", "--format", "seed", "f.csv"})).command);
  EXPECT_EQ(import.file, "f.csv");
  EXPECT_EQ(std::get<UploadOptions>(std::get<Options>(parse({"upload", "--collector", "http://h"})).command).collector,
            "http://h");
}

TEST(Options, EveryFlagOfUpload) {
  const auto upload = [](const std::vector<const char*>& arguments) {
    return std::get<UploadOptions>(std::get<Options>(parse(arguments)).command);
  };
  const UploadOptions plain = upload({"upload"});
  EXPECT_FALSE(plain.collector || plain.network.proxy || plain.network.ca || plain.delete_run_id || plain.all ||
               plain.dry_run);
  const UploadOptions all = upload({"upload", "--all", "--dry-run", "--proxy", "http://p:1", "--ca", "c.pem"});
  EXPECT_TRUE(all.all && all.dry_run);
  EXPECT_EQ(all.network.proxy, "http://p:1");
  EXPECT_EQ(all.network.ca, "c.pem");
  EXPECT_EQ(upload({"upload", "--delete", "r"}).delete_run_id, "r");
  EXPECT_NE(usage_error({"upload", "--delete", "r", "--all"}), "accepted");
  EXPECT_NE(usage_error({"upload", "--delete", "r", "--dry-run"}), "accepted");
  const RunOptions run = run_options({"run", "--proxy", "http://p:1", "--ca", "c.pem"});
  EXPECT_EQ(run.network.proxy, "http://p:1");
  EXPECT_EQ(run.network.ca, "c.pem");
  EXPECT_NE(std::get<HelpText>(parse({"upload", "--help"})).text.find("CC BY 4.0"), std::string::npos);
}

TEST(Options, HelpAndVersionAreText) {
  EXPECT_NE(std::get<HelpText>(parse({"--help"})).text.find("Exit codes"), std::string::npos);
  EXPECT_NE(std::get<HelpText>(parse({"run", "--help"})).text.find("--max-seconds"), std::string::npos);
  EXPECT_TRUE(std::get<HelpText>(parse({"--version"})).text.starts_with("gpuassay "));
}

TEST(Options, WhatDoesNotExistIsAUsageErrorThatNamesIt) {
  EXPECT_NE(usage_error({}).find("--help"), std::string::npos);
  EXPECT_NE(usage_error({"fly"}).find("fly"), std::string::npos);
  EXPECT_NE(usage_error({"run", "--fast"}).find("--fast"), std::string::npos);
  EXPECT_NE(usage_error({"run", "--profile", "fast"}).find("fast"), std::string::npos);
  EXPECT_NE(usage_error({"run", "--device", "tpu"}).find("tpu"), std::string::npos);
  EXPECT_NE(usage_error({"run", "--shape", "5"}).find("--shape"), std::string::npos);
  EXPECT_NE(usage_error({"price", "import", "--format", "xml", "f"}).find("xml"), std::string::npos);
  EXPECT_NE(usage_error({"schema", "price"}).find("price"), std::string::npos);
}

TEST(Options, ImpossibleValuesAreUsageErrors) {
  for (const char* seconds : {"0", "-1", "nan", "1e99", "ten", ""}) {
    EXPECT_NE(usage_error({"run", "--max-seconds", seconds}), "accepted") << seconds;
  }
  for (const char* price : {"0", "-1", "1e3", "1,5", "free", ""}) {
    EXPECT_NE(usage_error({"run", "--price", price}), "accepted") << price;
  }
  EXPECT_NE(usage_error({"run", "--max-cost", "1"}).find("--price"), std::string::npos);
  EXPECT_NE(usage_error({"run", "--offline", "--upload", "http://h"}), "accepted");
  EXPECT_NE(usage_error({"run", "--offline", "--network-target", "http://h"}), "accepted");
  EXPECT_NE(usage_error({"--quiet", "--verbose", "run"}), "accepted");
}

}  // namespace
}  // namespace gpuassay
