#include "collector/aggregates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "collector/percentile.h"
#include "collector/run_json.h"
#include "core/expected_score.h"
#include "core/score.h"

namespace gpuassay {
namespace {

const std::string kVersion(kScoreVersion);

RunFact run(const std::string& machine, double score, const std::string& provider = "aws") {
  RunFact fact;
  fact.gpu_model = "Tesla V100";
  fact.machine_key = machine;
  fact.provider = provider;
  fact.instance_type = "p3.2xlarge";
  fact.score_version = kScoreVersion;
  fact.gpu_count = 1;
  fact.score = score;
  return fact;
}

Aggregates of(const std::vector<RunFact>& runs) {
  AggregateBuilder builder;
  for (const RunFact& fact : runs) builder.add(fact);
  return builder.finish();
}

TEST(AggregatesTest, AMachineCountsOnceHoweverManyRunsItSends) {
  std::vector<RunFact> runs{run("a", 50), run("b", 52), run("c", 54)};
  for (int i = 0; i < 1000; ++i) runs.push_back(run("sybil", 500));
  const Aggregates aggregates = of(runs);
  ASSERT_EQ(aggregates.gpus.size(), 1U);
  const GpuAggregate& gpu = aggregates.gpus.front();
  EXPECT_EQ(gpu.score.runs, 1003U);
  EXPECT_EQ(gpu.score.machines, 4U);
  EXPECT_EQ(gpu.score.p50, 53) << "of 50, 52, 54 and 500";
}

TEST(AggregatesTest, AMachinesRunsGiveTheirMedian) {
  const Aggregates aggregates = of({run("a", 10), run("a", 50), run("a", 60)});
  EXPECT_EQ(aggregates.gpus.front().machine_scores, std::vector<double>{50});
}

TEST(AggregatesTest, OffersAndCountsAndVersionsAreApart) {
  RunFact eight = run("a", 400);
  eight.gpu_count = 8;
  RunFact older = run("a", 1);
  older.score_version = "0.1";
  const Aggregates aggregates = of({run("a", 50), run("b", 52, "gcp"), eight, older});
  EXPECT_EQ(aggregates.gpus.size(), 3U);
  EXPECT_EQ(aggregates.offers.size(), 4U);
  EXPECT_NE(find_gpu(aggregates, "Tesla V100", 8, kVersion), nullptr);
  EXPECT_EQ(find_gpu(aggregates, "Tesla V100", 4, kVersion), nullptr);
}

TEST(AggregatesTest, APercentileIsTheShareOfSlowerMachines) {
  std::vector<RunFact> runs;
  runs.reserve(100);
  for (int i = 0; i < 100; ++i) runs.push_back(run("m" + std::to_string(i), 50 + i));
  const Aggregates aggregates = of(runs);
  const GpuAggregate& gpu = aggregates.gpus.front();
  EXPECT_EQ(percentile_of(gpu, 50), 0);
  EXPECT_EQ(percentile_of(gpu, 68), 0.18);
  EXPECT_EQ(percentile_of(gpu, 1000), 1);
}

TEST(PercentileAnswer, WithEnoughMachinesItIsMeasured) {
  std::vector<RunFact> runs;
  runs.reserve(20);
  for (int i = 0; i < 20; ++i) runs.push_back(run("m" + std::to_string(i), 50 + i));
  const auto answer = nlohmann::json::parse(percentile_json(of(runs), "Tesla V100", 1, kVersion, 60));
  EXPECT_EQ(answer["shrunk"], false);
  EXPECT_EQ(answer["percentile"], 0.5);
  EXPECT_EQ(answer["population"], 20);
  EXPECT_EQ(answer["median"], 59.5);
}

TEST(PercentileAnswer, WithFewItIsTheSpecificationShrunkTowardsThem) {
  const auto estimate = specification_estimate("Tesla V100", 1);
  ASSERT_TRUE(estimate);
  const auto none = nlohmann::json::parse(percentile_json({}, "Tesla V100", 1, kVersion, *estimate));
  EXPECT_EQ(none["shrunk"], true);
  EXPECT_EQ(none["population"], 0);
  EXPECT_NEAR(none["percentile"].get<double>(), 0.5, 1e-6);
  const auto few =
      nlohmann::json::parse(percentile_json(of({run("a", 62), run("b", 62)}), "Tesla V100", 1, kVersion, 50));
  EXPECT_NEAR(few["median"].get<double>(), (2 * 62 + 20 * *estimate) / 22, 1e-3);
  EXPECT_LT(few["p10"].get<double>(), few["median"].get<double>());
}

TEST(PercentileAnswer, TheSpecificationsEstimateIsOfTheFirstCardOfTheModel) {
  const auto first = std::find_if(gpu_specs().begin(), gpu_specs().end(),
                                  [](const GpuSpec& spec) { return spec.model == "Tesla V100" && !spec.is_board; });
  ASSERT_NE(first, gpu_specs().end());
  EXPECT_EQ(specification_estimate("Tesla V100", 1), expected_index(*first));
  EXPECT_EQ(specification_estimate("Tesla V100", 8), 8 * expected_index(*first).value());
  EXPECT_FALSE(specification_estimate("tesla v100", 1)) << "models are asked by their canonical names";
}

TEST(PercentileAnswer, OfAnotherVersionOfTheScoreThereIsNoEstimate) {
  const auto answer = nlohmann::json::parse(percentile_json({}, "Tesla V100", 1, "0.2", 50));
  EXPECT_EQ(answer["shrunk"], false);
  EXPECT_TRUE(answer["specification_estimate"].is_null());
}

TEST(PercentileAnswer, NothingIsKnownOfACardThatNobodyKnows) {
  const auto answer = nlohmann::json::parse(percentile_json({}, "Card 9000", 1, kVersion, 50));
  EXPECT_EQ(answer["shrunk"], false);
  EXPECT_TRUE(answer["percentile"].is_null());
  EXPECT_TRUE(answer["specification_estimate"].is_null());
}

TEST(RunText, FormulasAndQuotesAndLineBreaksAreHarmlessInCsv) {
  RunColumns columns;
  columns.run_id = "id";
  columns.provider = "=HYPERLINK(\"http://x\")";
  columns.instance_type = " \xC2\xA0+1";
  columns.region = "two\r\nlines";
  columns.gpu_model = "plain, \"quoted\"";
  const std::string line = run_csv(columns);
  EXPECT_NE(line.find("\"'=HYPERLINK(\"\"http://x\"\")\""), std::string::npos) << line;
  EXPECT_NE(line.find("\"' \xC2\xA0+1\""), std::string::npos) << line;
  EXPECT_NE(line.find("\"two  lines\""), std::string::npos) << line;
  EXPECT_NE(line.find("\"plain, \"\"quoted\"\"\""), std::string::npos) << line;
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const std::string header = run_csv_header();
  EXPECT_EQ(std::count(line.begin(), line.end(), ',') - 1, std::count(header.begin(), header.end(), ','));
}

TEST(RunText, NothingInvisibleHidesAFormula) {
  for (const char* const hidden : {"\n=1+1", "\x0B=1+1", "\x01=1+1", "\xE3\x80\x80=1+1", "\xEF\xBB\xBF=1+1",
                                   "\xE2\x80\x8B=1+1", "\xE2\x80\x83=1+1", "\xE2\x80\xAE=1+1", " \t\r-1", "\xC2\xAD+1",
                                   "\xEF\xB8\x8F@x", "\xFF=1+1", "\xEF\xBC\x9Dsum(1)", "\xF3\xA0\x80\xA0=1"}) {
    RunColumns columns;
    columns.region = hidden;
    EXPECT_NE(run_csv(columns).find(",\"'"), std::string::npos) << run_csv(columns);
  }
  RunColumns columns;
  columns.region = "eu-west-1";
  EXPECT_EQ(run_csv(columns).find('\''), std::string::npos);
}

TEST(RunText, WhatIsShownNeitherMovesTheCursorNorReordersText) {
  RunColumns columns;
  columns.run_id = "id";
  columns.instance_type =
      "p4\xE2\x80\xAEgpj.exe\xC2\x85\xC2\x9B"
      "31m\x1B]0;owned\x07";
  EXPECT_NE(run_csv(columns).find("\"p4gpj.exe31m]0;owned\""), std::string::npos) << run_csv(columns);
  EXPECT_NE(run_page(columns).find(">p4gpj.exe31m]0;owned<"), std::string::npos) << run_page(columns);
}

TEST(RunText, PagesShowTextAsText) {
  RunColumns columns;
  columns.run_id = "id";
  columns.provider = "<script>alert('x')</script>&\"\x01";
  const std::string page = run_page(columns);
  EXPECT_EQ(page.find("<script>"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;alert('x')&lt;/script&gt;&amp;&quot;<"), std::string::npos) << page;
}

TEST(RunText, NothingAboutTheContributorIsPublished) {
  RunColumns columns;
  columns.agent_key = "SECRETKEY";
  EXPECT_EQ((run_json(columns) + run_csv(columns) + run_page(columns)).find("SECRETKEY"), std::string::npos);
}

TEST(RunText, CursorsAreReadBack) {
  const RunCursor cursor{1'700'000'000'000, "0190b5a4-7c1d-7b3e-9f00-0123456789ab"};
  const auto back = parse_cursor(cursor_text(cursor));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->received_at_ms, cursor.received_at_ms);
  EXPECT_EQ(back->run_id, cursor.run_id);
  for (const char* text : {"", ".", "1", "x.0190b5a4-7c1d-7b3e-9f00-0123456789ab", "1.short"})
    EXPECT_FALSE(parse_cursor(text)) << text;
}

}  // namespace
}  // namespace gpuassay
