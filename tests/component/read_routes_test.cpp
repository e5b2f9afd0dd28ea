// What those who ask about the dataset are told, from a store with runs in it.
#include "collector/read_routes.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "collector/run_json.h"
#include "core/error.h"
#include "core/price_store.h"
#include "core/seed_prices.h"
#include "tests/support/memory_pool.h"

namespace gpuassay {
namespace {

using nlohmann::json;

constexpr std::int64_t kNowMs = 1'659'355'200'000;  // 1 August 2022, when the bundled prices are fresh

class ReadRoutesTest : public testing::Test {
 protected:
  void SetUp() override {
    PriceStore(*pool_->take(ConnectionPool::Access::write)).store(bundled_seed_prices());
    for (int number = 0; number < 25; ++number) add(number, "Tesla V100", 40 + number);
    StoredRun simulated = run(100, "Tesla V100", 9000);
    simulated.simulated = true;
    store_.insert(simulated);
    StoredRun doubtful = run(101, "Tesla V100", 9000);
    doubtful.quarantine_reason = "above_peak: far";
    store_.insert(doubtful);
    add(102, "Tesla P100", 20);
    store_.insert(run(103, "Tesla V100", 9000));
    store_.retract(run(103, "", 0).run_id, "machine 103", kNowMs);
  }

  static StoredRun run(int number, const std::string& model, double score) {
    StoredRun run;
    run.run_id = fmt::format("0190b5a4-7c1d-7b3e-9f00-{:012}", number);
    run.agent_key = fmt::format("machine {}", number);
    run.received_at_ms = kNowMs - 1000 + number;
    run.started_at_ms = kNowMs - 2000;
    run.provider = "tencent";
    run.gpu_model = model;
    run.gpu_count = 8;
    run.gpu_memory_bytes = std::int64_t{32} << 30U;
    run.score_version = "0.2";
    run.score = score;
    run.trust = "floor_verified";
    run.body = "{}";
    run.body_sha256 = "hash";
    run.receipt = "{}";
    return run;
  }
  void add(int number, const std::string& model, double score) { store_.insert(run(number, model, score)); }

  static HttpRequest ask(const std::string& query) { return {"GET", "", {}, {}, query}; }
  static std::string whole(const HttpReply& asked) {
    const HttpReply reply = asked.make ? asked.make([] { return true; }) : asked;
    std::string text = reply.body;
    if (!reply.next) return text;
    for (std::string piece = reply.next(); !piece.empty(); piece = reply.next()) text += piece;
    return text;
  }
  std::shared_ptr<const Aggregates> made() {
    return std::make_shared<const Aggregates>(read_aggregates(*pool_->take(ConnectionPool::Access::read), kNowMs));
  }

  std::unique_ptr<ConnectionPool> pool_ = test::memory_pool();
  RunStore store_{*pool_};
  ExportSpace space_;
  Surrogates names_{*pool_->take(ConnectionPool::Access::write)};
  ReadRoutes routes_{store_, names_, space_, [this] { return made(); }};
};

TEST_F(ReadRoutesTest, AMachineWithANewKeyIsStillOneMachine) {
  const auto machines = [&] { return find_gpu(*made(), "Tesla P100", 8, "0.2")->score.machines; };
  StoredRun later = run(104, "Tesla P100", 22);
  later.agent_key = "newer key of machine 102";
  store_.insert(later);
  EXPECT_EQ(machines(), 2U);
  StoredRun last = run(105, "Tesla P100", 24);
  last.agent_key = "newest key";
  ASSERT_EQ(store_.replace_key("machine 102", last.agent_key, kNowMs), KeyChange::done);
  store_.insert(last);
  EXPECT_EQ(machines(), 2U) << "102 and its newest key are one, the other is a stranger";
}

TEST_F(ReadRoutesTest, PagesHoldEveryRunThatCountsOnce) {
  std::set<std::string> seen;
  std::string cursor;
  int pages = 0;
  do {
    const HttpReply reply = routes_.list(ask("limit=7" + (cursor.empty() ? "" : "&cursor=" + cursor)));
    ASSERT_EQ(reply.status, 200);
    const json page = json::parse(reply.body);
    for (const json& result : page["results"]) EXPECT_TRUE(seen.insert(result["run_id"]).second) << "twice";
    cursor = page["next"].is_null() ? "" : page["next"].get<std::string>();
    ++pages;
  } while (!cursor.empty());
  EXPECT_EQ(seen.size(), 26U);
  EXPECT_EQ(pages, 4);
}

TEST_F(ReadRoutesTest, AnInstantThatNobodyCanWriteSpoilsNoPage) {
  int number = 110;
  for (const std::int64_t started_ms : {std::int64_t{253'402'300'800'999}, INT64_MIN, INT64_MAX}) {
    StoredRun odd = run(number++, "Tesla V100", 50);
    odd.started_at_ms = started_ms;
    store_.insert(odd);
    EXPECT_EQ(routes_.page(odd.run_id).status, 200);
    EXPECT_NE(whole(routes_.export_csv(ask(""))).find(odd.run_id), std::string::npos);
  }
  const json page = json::parse(routes_.list(ask("limit=500")).body);
  EXPECT_EQ(page["results"].size(), 29U);
  EXPECT_EQ(std::count_if(page["results"].begin(), page["results"].end(),
                          [](const json& result) { return result["started_at"].is_null(); }),
            3);
}

TEST_F(ReadRoutesTest, FiltersNarrowAndFlagsWiden) {
  const auto count = [&](const std::string& query) {
    return json::parse(routes_.list(ask(query)).body)["results"].size();
  };
  EXPECT_EQ(count("gpu_model=Tesla%20P100"), 1U);
  EXPECT_EQ(count("provider=aws"), 0U);
  EXPECT_EQ(count("simulated=true&quarantined=true"), 28U);
  EXPECT_EQ(count("started_before=2022-08-01"), 0U);
  const json doubtful = json::parse(routes_.list(ask("quarantined=true&limit=2")).body)["results"];
  EXPECT_EQ(doubtful[1]["quarantine_reason"], "above_peak: far");
}

TEST_F(ReadRoutesTest, WrongParametersAreNamed) {
  for (const char* query :
       {"colour=red", "limit=0", "limit=501", "cursor=x", "started_from=soon", "simulated=yes", "gpu_model=%ff"})
    EXPECT_THROW((void)routes_.list(ask(query)), Error) << query;
  EXPECT_THROW((void)routes_.percentile(ask("gpu_model=x&gpu_count=1&score_version=0.2")), Error);
  EXPECT_THROW((void)routes_.percentile(ask("gpu_model=x&gpu_count=0&score_version=0.2&score=1")), Error);
}

TEST_F(ReadRoutesTest, AggregatesLeaveOutWhatDoesNotCount) {
  const json gpus = json::parse(routes_.gpus(ask("gpu_model=Tesla%20V100")).body)["gpus"];
  ASSERT_EQ(gpus.size(), 1U);
  EXPECT_EQ(gpus[0]["score"]["machines"], 25);
  EXPECT_EQ(gpus[0]["score"]["p50"], 52);
  EXPECT_EQ(gpus[0]["score"]["p10"], 42.4);
  EXPECT_EQ(gpus[0]["headline"]["machines"], 25);
  EXPECT_EQ(json::parse(routes_.gpus(ask("")).body)["gpus"].size(), 2U);
}

TEST_F(ReadRoutesTest, OffersCarryTheirPrice) {
  const json offers = json::parse(routes_.offers(ask("gpu_model=Tesla%20V100")).body)["offers"];
  ASSERT_EQ(offers.size(), 1U);
  EXPECT_EQ(offers[0]["price"]["match_level"], "provider_gpu");
  EXPECT_EQ(offers[0]["ranked"], true);
  EXPECT_EQ(offers[0]["price"]["price_instance_hour_usd"], "13.780000");
  EXPECT_EQ(offers[0]["price"]["score_per_usd_hour"], 3.77358) << "52 / 13.78";
}

TEST_F(ReadRoutesTest, WhatIsStaleOrOfAnotherProviderIsNotRanked) {
  StoredRun elsewhere = run(200, "Tesla V100", 5000);
  elsewhere.provider = "nobody";
  store_.insert(elsewhere);
  StoredRun newer = run(201, "Tesla V100", 1);
  newer.score_version = "0.3";
  store_.insert(newer);
  const json offers = json::parse(routes_.offers(ask("gpu_model=Tesla%20V100")).body)["offers"];
  ASSERT_EQ(offers.size(), 3U);
  EXPECT_EQ(offers[0]["score_version"], "0.3") << "scores of two versions are not compared";
  EXPECT_EQ(offers[1]["provider"], "tencent");
  EXPECT_EQ(offers[2]["price"]["match_level"], "gpu_only");
  EXPECT_EQ(offers[2]["ranked"], false);
  EXPECT_GT(offers[2]["price"]["score_per_usd_hour"], offers[1]["price"]["score_per_usd_hour"]) << "but it is last";
}

TEST_F(ReadRoutesTest, OneMachineRanksNowhere) {
  for (int number = 0; number < 3; ++number) {
    StoredRun best = run(210 + number, "Tesla V100", 9000);
    best.region = "region of few";
    store_.insert(best);
    const json offers = json::parse(routes_.offers(ask("gpu_model=Tesla%20V100")).body)["offers"];
    ASSERT_EQ(offers.size(), 2U);
    EXPECT_EQ(offers[number < 2 ? 1 : 0]["region"], "region of few") << number;
    EXPECT_EQ(offers[number < 2 ? 1 : 0]["ranked"], number == 2);
  }
}

TEST_F(ReadRoutesTest, OnlyWitnessesMakeAHeadline) {
  for (int number = 0; number < 20; ++number) {  // keys cost nothing
    StoredRun liar = run(240 + number, "Tesla T4", 9000);
    liar.trust = number % 2 == 0 ? "self_reported" : "recomputed";
    store_.insert(liar);
  }
  const auto t4 = [&](const std::string& more) {
    return json::parse(routes_.gpus(ask("gpu_model=Tesla%20T4" + more)).body)["gpus"];
  };
  EXPECT_TRUE(t4("")[0]["headline"].is_null());
  EXPECT_EQ(t4("")[0]["score"]["machines"], 20);
  for (int number = 0; number < 2; ++number) add(270 + number, "Tesla T4", 50);
  EXPECT_TRUE(t4("")[0]["headline"].is_null()) << "two are too few";
  StoredRun vouched_for = run(280, "Tesla T4", 54);
  vouched_for.trust = "self_reported";
  store_.insert(vouched_for);
  ASSERT_TRUE(store_.vouch_for_key(vouched_for.agent_key, true, kNowMs));
  EXPECT_EQ(t4("")[0]["headline"]["machines"], 3);
  EXPECT_EQ(t4("")[0]["headline"]["p50"], 50) << "and the others are not in it";
  EXPECT_EQ(t4("&trust=floor_verified")[0]["score"]["machines"], 2);
  EXPECT_EQ(t4("&trust=recomputed")[0]["score"]["machines"], 10);
  EXPECT_TRUE(t4("&trust=attested").empty());
  EXPECT_THROW((void)routes_.gpus(ask("trust=good")), Error);
  const json offers = json::parse(routes_.offers(ask("gpu_model=Tesla%20T4&trust=self_reported")).body)["offers"];
  EXPECT_EQ(offers.at(0)["score"]["machines"], 11);
  ASSERT_TRUE(store_.vouch_for_key(vouched_for.agent_key, false, kNowMs));
  EXPECT_TRUE(t4("")[0]["headline"].is_null());
  EXPECT_FALSE(store_.vouch_for_key("nobody", true, kNowMs));
}

TEST_F(ReadRoutesTest, OffersComeInPages) {
  for (int number = 0; number < 5; ++number) {
    StoredRun other = run(220 + number, "Tesla V100", 50);
    other.region = "region " + std::to_string(number);
    store_.insert(other);
  }
  std::set<std::string> regions;
  for (const std::string offset : {"0", "2", "4"}) {
    const json page = json::parse(routes_.offers(ask("gpu_model=Tesla%20V100&limit=2&offset=" + offset)).body);
    EXPECT_EQ(page["total"], 6);
    EXPECT_EQ(page["offers"].size(), 2U);
    for (const json& offer : page["offers"]) regions.insert(offer["region"].dump());
  }
  EXPECT_EQ(regions.size(), 6U);
  EXPECT_EQ(json::parse(routes_.offers(ask("offset=7")).body)["offers"].size(), 0U);
  EXPECT_THROW((void)routes_.offers(ask("limit=501")), Error);
  EXPECT_THROW((void)routes_.offers(ask("offset=-1")), Error);
}

TEST_F(ReadRoutesTest, PercentilesAreOfMachines) {
  const json answer =
      json::parse(routes_.percentile(ask("gpu_model=Tesla%20V100&gpu_count=8&score_version=0.2&score=45")).body);
  EXPECT_EQ(answer["percentile"], 0.2);
  EXPECT_EQ(answer["population"], 25);
}

TEST_F(ReadRoutesTest, BeforeTheFirstAggregatesItSaysSo) {
  const ReadRoutes early(store_, names_, space_, [] { return nullptr; });
  for (const HttpReply& reply : {early.gpus(ask("")), early.offers(ask(""))}) {
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.headers.at(0).first, "Retry-After");
  }
}

TEST_F(ReadRoutesTest, ExportsHoldTheRunsThatCount) {
  const std::string csv = whole(routes_.export_csv(ask("")));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 27) << "a header and 26 runs";
  EXPECT_EQ(csv.substr(0, 7), "run_id,");
  const std::string lines = whole(routes_.export_ndjson(ask("gpu_model=Tesla%20P100")));
  EXPECT_EQ(json::parse(lines)["score"], 20);
  EXPECT_THROW((void)routes_.export_csv(ask("simulated=true")), Error) << "simulated runs never reach an export";
}

TEST_F(ReadRoutesTest, AnExportNobodyWaitsForIsGivenUp) {
  int asked = 0;
  const HttpReply reply = routes_.export_csv(ask("")).make([&] { return ++asked < 3; });
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(space_.held_bytes(), 0U);
}

TEST_F(ReadRoutesTest, ExportsEndWhereTheirSpaceEnds) {
  ExportSpace little({}, 1);
  const ReadRoutes cramped(store_, names_, little, [] { return nullptr; });
  EXPECT_THROW((void)whole(cramped.export_csv(ask(""))), Error);
  EXPECT_EQ(little.held_bytes(), 0U);
  {
    const HttpReply held = routes_.export_csv(ask("")).make([] { return true; });
    EXPECT_GT(space_.held_bytes(), 0U) << "until it is read";
  }
  EXPECT_EQ(space_.held_bytes(), 0U);
}

TEST_F(ReadRoutesTest, OneRunHasItsBytesAndItsPage) {
  EXPECT_EQ(routes_.result("0190b5a4-7c1d-7b3e-9f00-000000000001").body, "{}");
  EXPECT_EQ(routes_.result("none").status, 404);
  EXPECT_EQ(routes_.page("none").status, 404);
  EXPECT_NE(routes_.page("0190b5a4-7c1d-7b3e-9f00-000000000001").body.find("8 x Tesla V100"), std::string::npos);
  EXPECT_EQ(routes_.result("0190b5a4-7c1d-7b3e-9f00-000000000103").status, 404) << "taken back";
}

}  // namespace
}  // namespace gpuassay
