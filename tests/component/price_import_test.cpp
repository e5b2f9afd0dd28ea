// Price files on disk become rows of a database, or a message that says why not.
#include "core/price_import.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/error.h"
#include "core/price_list.h"
#include "core/price_question.h"
#include "core/price_store.h"
#include "core/price_text.h"
#include "core/sqlite.h"
#include "core/timestamp.h"
#include "tests/support/scratch_root.h"

namespace gpuassay {
namespace {

constexpr std::string_view kHeader =
    "provider,instance_type,region,gpu_model,gpu_variant,gpu_count,gpu_memory_gib_total,pricing_model,amount,currency,"
    "unit,valid_from,observed_at\n";
const std::string kFixtures = std::string(GPUASSAY_SOURCE_DIR) + "/tests/fixtures/prices/";

class PriceImportFile : public testing::Test {
 protected:
  std::string file(std::string_view name, std::string_view text) {
    scratch_.write("/" + std::string(name), text);
    return (scratch_.path() / name).string();
  }
  std::string prices(std::string_view lines) { return file("prices.csv", std::string(kHeader) + std::string(lines)); }

  PriceImportOutcome import(const std::string& path, std::optional<std::string> format = "normalized",
                            std::optional<std::string> as_of = {}, std::optional<std::string> rates = {}) {
    return import_price_file(database_, {path, std::move(format), "aws", std::move(as_of), std::move(rates), now_ms_});
  }

  /// The message of a refusal, which is one line and leaves nothing behind.
  std::string refusal(const std::string& path, std::optional<std::string> format = "normalized",
                      std::optional<std::string> as_of = {}, std::optional<std::string> rates = {}) {
    try {
      import(path, std::move(format), std::move(as_of), std::move(rates));
    } catch (const Error& error) {
      const std::string message = error.what();
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
      EXPECT_EQ(PriceStore(database_).count(), 0U);
      return message;
    }
    ADD_FAILURE() << path << " was taken";
    return {};
  }

  static void expect_part(const std::string& text, std::string_view part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }

  test::ScratchRoot scratch_;
  SqliteDatabase database_{":memory:"};
  std::optional<std::int64_t> now_ms_ = parse_rfc3339_ms("2026-11-01T00:00:00Z");
};

TEST_F(PriceImportFile, SaysWhatBecameOfItsLines) {
  const auto outcome =
      import(prices("aws,p3,r1,V100,,1,16,on_demand,3.06,USD,hour,2024-01-01,\n"
                    "aws,p3,r1,V100,,1,16,on_demand,0.001,USD,hour,2024-02-01,\n"
                    "aws,p3,r1,V100,,1,16,on_demand,$3,USD,hour,2024-03-01,\n"));
  const std::string told = describe(outcome);
  expect_part(told, "1 accepted (1 new, 0 confirmed, 0 unchanged), 1 quarantined, 1 rejected");
  expect_part(told, "line 3");
  expect_part(told, "line 4");
}

TEST_F(PriceImportFile, WithoutAnyPriceIsRefused) {
  expect_part(refusal(prices("aws,p3,r1,V100,,1,16,on_demand,$3,USD,hour,2024-03-01,\n"
                             "aws,p3,r1,V100,,1,16,on_demand,4 USD,USD,hour,2024-03-02,\n"
                             "aws,p3,r1,V1000,,1,16,on_demand,4,USD,hour,2024-03-02,\n")),
              "none of its 3 lines is the price of an offer");
  expect_part(refusal(prices("")), "no line in the file but its header");
}

TEST_F(PriceImportFile, WhatCannotBeReadIsNamed) {
  expect_part(refusal((scratch_.path() / "absent.csv").string()), "No such file");
  expect_part(refusal(scratch_.path().string()), "Is a directory");
  expect_part(refusal(file("empty.csv", "")), "the file is empty");
  expect_part(refusal(file("wide.csv", std::string("p\0r\0o\0v\0i\0d\0e\0r\0,\0", 18))), "UTF-16");
  expect_part(refusal(file("other.csv", "a,b\n1,2\n"), std::nullopt), "no known price format");
  expect_part(refusal(prices("aws,p3,r1,V100,,1,16,on_demand,3,USD,hour,2024-03-01,\n"), "gold"), "no price format");
}

TEST_F(PriceImportFile, ABlankLastLineIsNoRow) {
  EXPECT_EQ(import(prices("aws,p3,r1,V100,,1,16,on_demand,3.06,USD,hour,2024-01-01,\n\n")).report.accepted(), 1U);
}

TEST_F(PriceImportFile, TheFutureIsRefused) {
  expect_part(refusal(kFixtures + "gpuhunt.csv", "gpuhunt", "2026-12-01"), "--as-of: 2026-12-01 is in the future");
  expect_part(refusal(kFixtures + "gpuhunt.csv", "gpuhunt", "tomorrow"), "--as-of: 'tomorrow' is not a date");
  expect_part(refusal(prices("aws,p3,r1,V100,,1,16,on_demand,3,USD,hour,2024-03-01,2027-01-01\n")), "in the future");
  now_ms_.reset();
  EXPECT_GT(import(kFixtures + "gpuhunt.csv", "gpuhunt", "2026-12-01").report.accepted(), 0U) << "no clock, no future";
}

TEST_F(PriceImportFile, SeenBeforeItHeldIsRefused) {
  expect_part(refusal(prices("aws,p3,r1,V100,,1,16,on_demand,3,USD,hour,2024-03-01,2024-02-01\n")),
              "before valid_from");
}

TEST_F(PriceImportFile, CurrenciesAreThoseOfIso4217) {
  expect_part(refusal(prices("aws,p3,r1,V100,,1,16,on_demand,3,RMB,hour,2024-03-01,\n")),
              "'RMB' is not a currency of ISO 4217");
}

TEST_F(PriceImportFile, FormsOfBoardsAreReadInAnyCaseAndMustNotContradictTheName) {
  import(
      prices("aws,a,r1,A100 SXM4,sxm4,1,40,on_demand,3,USD,hour,2024-03-01,\n"
             "aws,b,r1,A100,SXM,1,40,on_demand,3,USD,hour,2024-03-01,\n"
             "aws,c,r1,A100,pcie,1,40,on_demand,3,USD,hour,2024-03-01,\n"));
  Statement query(database_, "SELECT gpu_variant FROM price ORDER BY instance_type");
  for (const char* variant : {"SXM4", "SXM4", "PCIe"}) {
    ASSERT_TRUE(query.step());
    EXPECT_EQ(query.text(0), variant);
  }
}

TEST_F(PriceImportFile, ANameThatContradictsTheColumnsBesideItIsRefused) {
  expect_part(refusal(prices("aws,a,r1,A100 SXM4,PCIe,1,40,on_demand,3,USD,hour,2024-03-01,\n")),
              "contradicts the variant");
  expect_part(refusal(prices("aws,a,r1,A100 80GB,,1,40,on_demand,3,USD,hour,2024-03-01,\n")), "contradicts the memory");
  expect_part(refusal(prices("aws,a,r1,A100,round,1,40,on_demand,3,USD,hour,2024-03-01,\n")), "is none of PCIe");
}

TEST_F(PriceImportFile, VersionsOfACatalogueOfOneDayFollowEachOther) {
  const auto catalogue = [&](std::string_view price) {
    return file("list.csv", fmt::format("instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot\n"
                                        "p3.2xlarge,r1,{},8,61,1,V100,16,False\n",
                                        price));
  };
  import(catalogue("3.06"), "gpuhunt", "20240131-7");
  import(catalogue("2.90"), "gpuhunt", "20240131-12");
  EXPECT_THROW(import(catalogue("2.00"), "gpuhunt", "20240131-99999999"), Error);
  Statement query(database_, "SELECT amount, valid_from_ms, valid_to_ms FROM price ORDER BY valid_from_ms");
  ASSERT_TRUE(query.step());
  EXPECT_EQ(query.text(0), "3.06");
  EXPECT_EQ(query.integer(2) - query.integer(1), 5);
  ASSERT_TRUE(query.step());
  EXPECT_EQ(query.text(0), "2.90");
  EXPECT_TRUE(query.is_null(2));
}

TEST_F(PriceImportFile, PricesWithoutARateAreCounted) {
  const std::string path = prices("tencent,a,r1,V100,,1,32,on_demand,20,CNY,hour,2024-01-08,\n");
  const auto outcome = import(path);
  expect_part(describe(outcome), "1 prices have no dollars: no rate of CNY on their day or 7 days before");
  const std::string rates = file("rates.csv", "date,currency,usd_per_unit,source\n2024-01-05,CNY,0.14,bank\n");
  const auto again = import(path, "normalized", {}, rates);
  EXPECT_EQ(again.changes.converted, 1U);
  EXPECT_EQ(describe(again).find("no dollars"), std::string::npos);
}

TEST_F(PriceImportFile, ARateFileThatIsRefusedKeepsThePricesOut) {
  const std::string rates = file("rates.csv", "date,currency,usd_per_unit,source\n2024-01-05,CNY,0,bank\n");
  expect_part(refusal(prices("tencent,a,r1,V100,,1,32,on_demand,20,CNY,hour,2024-01-08,\n"), "normalized", {}, rates),
              "rates.csv");
}

TEST_F(PriceImportFile, RatesOfARefusedFileAreNotKept) {
  import(prices("tencent,a,r1,V100,,1,32,on_demand,20,CNY,hour,2024-01-08,\n"));
  const std::string rates = file("rates.csv", "date,currency,usd_per_unit,source\n2024-01-05,CNY,0.14,bank\n");
  const std::string contradiction = prices("tencent,a,r1,V100,,1,32,on_demand,30,CNY,hour,2024-01-08,\n");
  EXPECT_THROW(import(contradiction, "normalized", {}, rates), Error);
  Statement query(database_, "SELECT (SELECT COUNT(*) FROM fx_rate), COUNT(price_gpu_hour_usd_micro) FROM price");
  ASSERT_TRUE(query.step());
  EXPECT_EQ(query.integer(0), 0);
  EXPECT_EQ(query.integer(1), 0);
}

TEST_F(PriceImportFile, APartOfWhichThePriceIsZeroIsMissing) {
  const std::string path =
      file("parts.csv",
           "provider,instance_type,region,gpu_model,gpu_count,gpu_memory_gib_total,pricing_model,amount,currency,"
           "unit,valid_from,price_basis,source\n"
           "gcp,n1-x,us,V100,1,16,on_demand,1.00,USD,hour,2024-01-05,vm_only,s\n"
           "gcp,,us,V100,1,16,on_demand,0,USD,hour,2024-01-05,gpu_addon,s\n");
  import(path);
  Statement query(database_, "SELECT component_missing FROM price WHERE price_basis = 'instance'");
  ASSERT_TRUE(query.step());
  EXPECT_EQ(query.integer(0), 1);
}

TEST_F(PriceImportFile, EqualLinesGiveOneRowWhicheverComesFirst) {
  const auto list = [&](std::string_view first, std::string_view second) {
    return file("list.csv", fmt::format("instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot\n"
                                        "a,r1,3.06,{0},61,1,V100,16,False\na,r1,3.06,{1},61,1,V100,16,False\n",
                                        first, second));
  };
  for (const std::string& path : {list("8", "16"), list("16", "8")}) {
    SqliteDatabase fresh(":memory:");
    import_price_file(fresh, {path, "gpuhunt", "aws", "2024-01-01", {}, {}});
    Statement query(fresh, "SELECT vcpus_milli FROM price");
    ASSERT_TRUE(query.step());
    EXPECT_EQ(query.integer(0), 8000);
  }
}

TEST_F(PriceImportFile, AScoreIsOfTheGpusThatWereUsed) {
  import(prices("aws,p3,r1,V100,,1,16,on_demand,3,USD,hour,2024-01-01,\n"));
  PriceFilter filter;
  filter.valid_at_ms = parse_rfc3339_ms("2024-01-02T00:00:00Z");
  const PriceQuestion one_of_eight = read_price_question(
      R"({"gpu_model":"V100","gpu_count":8,"gpus_used":1,"measured_at":"2024-01-02","score":37.5})");
  const auto ranked = rank_by_score(list_prices(database_, filter), {one_of_eight});
  ASSERT_EQ(ranked.size(), 1U);
  EXPECT_EQ(ranked[0].score_per_usd_hour, 12.5);
  EXPECT_FALSE(ranked[0].count_scaled);
}

TEST_F(PriceImportFile, AListOfUnknownAgeIsWarnedAbout) {
  expect_part(describe(import(kFixtures + "azure.json", "azure")), "with --as-of DATE");
  EXPECT_EQ(describe(import(kFixtures + "azure.json", "azure", "2026-10-01")).find("when this list was fetched"),
            std::string::npos);
}

TEST_F(PriceImportFile, AListWithAnUnreadableLineEndsOnlyWhatItLacks) {
  constexpr std::string_view kColumns = "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot\n";
  const auto list = [&](std::string_view lines) {
    return file("list.csv", std::string(kColumns) + std::string(lines));
  };
  import(list("a,r1,3.06,8,61,1,V100,16,False\nb,r1,4.00,8,61,1,V100,16,False\nc,r1,5.00,8,61,1,V100,16,False\n"
              "d,r1,6.00,8,61,1,V100,16,False\n"),
         "gpuhunt", "2024-01-01");
  const auto outcome = import(list("a,r1,3.06,8,61,1,V100,16,False\nb,r1,oops,8,61,1,V100,16,False\n"
                                   "c,r1,500000,8,61,1,V100,16,False\n"),
                              "gpuhunt", "2024-01-02");
  EXPECT_EQ(outcome.changes.closed, 1U) << "d alone: of b and c there are lines, however damaged";
  expect_part(describe(outcome), "1 offers have disappeared");
}

TEST_F(PriceImportFile, OffersAreListedAndRankedByWhatWasMeasured) {
  add_bundled_prices(database_);
  add_bundled_prices(database_);  // once is enough
  PriceFilter filter;
  filter.valid_at_ms = parse_rfc3339_ms("2022-08-01T00:00:00Z");
  filter.gpu_model = "Tesla V100";
  const auto offers = list_prices(database_, filter);
  ASSERT_GT(offers.size(), 3U);
  EXPECT_LE(offers[0].price_gpu_hour_usd, offers[1].price_gpu_hour_usd);
  const PriceQuestion measured = read_price_question(
      R"({"gpu_model":"V100","gpu_count":8,"gpu_memory_gib_total":256,"measured_at":"2022-08-01","score":300})");
  const auto ranked = rank_by_score(offers, {measured});
  ASSERT_FALSE(ranked.empty());
  EXPECT_GE(*ranked.front().score_per_usd_hour, *ranked.back().score_per_usd_hour);
  for (const ListedPrice& offer : ranked) EXPECT_EQ(offer.count_scaled, offer.gpu_count != 8'000'000);
}

TEST_F(PriceImportFile, AMeasurementIsJoined) {
  add_bundled_prices(database_);
  const PriceQuestion question = read_price_question(
      R"({"provider":"tencent","gpu_model":"Tesla V100","gpu_count":8,"gpus_used":4,"gpu_memory_gib_total":256,
          "vcpus":80,"memory_gib":320,"measured_at":"2022-08-01T12:00:00Z","score":100})");
  const PriceAnswer whole = join_prices(database_, {question}, {}).front();
  EXPECT_EQ(whole.match_level, "provider_gpu");
  EXPECT_EQ(whole.price_instance_hour_usd, 13'780'000);
  EXPECT_EQ(whole.cost_basis, "machine");
  EXPECT_EQ(whole.score_per_usd_hour, 7.25689) << "six digits, as everywhere";
  JoinOptions share;
  share.gpu_share = true;
  const PriceAnswer half = join_prices(database_, {question}, share).front();
  EXPECT_EQ(half.cost_basis, "gpu_share");
  EXPECT_EQ(half.cost_hour_usd, 6'890'000);
}

TEST(PriceQuestionText, NamesTheFieldThatIsWrong) {
  const auto refusal = [](const std::string& text) {
    try {
      read_price_question(text);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("taken");
  };
  const auto expect_field = [&](const std::string& fields, std::string_view field) {
    const std::string told = refusal("{" + fields + "}");
    EXPECT_NE(told.find(field), std::string::npos) << told;
  };
  const std::string good = R"("gpu_model":"V100","gpu_count":1,"measured_at":"2022-08-01")";
  EXPECT_EQ(refusal("{" + good + "}"), "taken");
  expect_field(R"("gpu_count":1,"measured_at":"2022-08-01")", "gpu_model");
  expect_field(R"("gpu_model":"V100","gpu_count":9000000000000,"measured_at":"2022-08-01")", "gpu_count");
  expect_field(R"("gpu_model":"V100","gpu_count":1)", "measured_at");
  expect_field(good + R"(,"gpus_used":2)", "gpus_used");
  expect_field(good + R"(,"vcpus":9000000000000)", "vcpus");
  expect_field(good + R"(,"score":-1)", "score");
  expect_field(good + R"(,"provider":["aws"])", "provider");
  expect_field(good + R"(,"colour":"red")", "colour");
  expect_field(good + R"(,"gpu_variant":"round")", "gpu_model");
  expect_field(R"("gpu_model":"V100 32GB","gpu_count":1,"gpu_memory_gib_total":16,"measured_at":"2022-08-01")",
               "contradicts the memory");
}

}  // namespace
}  // namespace gpuassay
