#include "agent/percentile.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace gpuassay {
namespace {

Device gpu(std::optional<std::string> model) {
  Device device;
  device.kind = DeviceKind::cuda;
  device.model = std::move(model);
  return device;
}

Result result_of(std::vector<Device> devices, std::optional<double> score) {
  Result result;
  result.devices = std::move(devices);
  result.score.version = "0.2";
  result.score.value = score;
  return result;
}

const PercentileQuestion kQuestion{"Tesla V100", 2, "0.2", 52.5};

nlohmann::json good_answer() {
  return {{"gpu_model", "Tesla V100"},
          {"gpu_count", 2},
          {"score_version", "0.2"},
          {"population", 412},
          {"days", 90},
          {"percentile", 0.18},
          {"median", 60.5},
          {"p10", 50},
          {"p90", 70},
          {"specification_estimate", 58.0},
          {"shrunk", false}};
}

std::string line_of(const nlohmann::json& changes) {
  nlohmann::json answer = good_answer();
  answer.update(changes);
  return percentile_line(parse_percentile(answer.dump(), kQuestion));
}

TEST(Percentile, IsAskedForGpusOfOneKnownModelWithAScore) {
  const auto question = percentile_question(result_of({gpu("Tesla V100"), gpu("Tesla V100")}, 52.5));
  ASSERT_TRUE(question);
  EXPECT_EQ(percentile_target(*question),
            "/v1/percentile?gpu_model=Tesla%20V100&gpu_count=2&score_version=0.2&score=52.5");
  EXPECT_FALSE(percentile_question(result_of({gpu("Tesla V100"), gpu("Tesla T4")}, 52.5)));
  EXPECT_FALSE(percentile_question(result_of({gpu("Tesla V100"), gpu(std::nullopt)}, 52.5)));
  EXPECT_FALSE(percentile_question(result_of({gpu(std::nullopt)}, 52.5)));
  EXPECT_FALSE(percentile_question(result_of({gpu("Tesla V100")}, std::nullopt)));
  EXPECT_FALSE(percentile_question(result_of({Device{}}, 1))) << "a CPU is no GPU model";
}

TEST(Percentile, WhatANameHoldsStaysOneParameter) {
  EXPECT_EQ(percentile_target({"A&b=c #/\xc3\xa9", 1, "0.2", 1e-5}),
            "/v1/percentile?gpu_model=A%26b%3Dc%20%23%2F%C3%A9&gpu_count=1&score_version=0.2&score=1e-05");
}

TEST(Percentile, SaysWhichPartOfHowManyRuns) {
  EXPECT_EQ(line_of(nlohmann::json::object()), "slower than 82 % of 412 runs of this model, 90 days");
  EXPECT_EQ(line_of({{"percentile", 0.5}}), "faster than 50 % of 412 runs of this model, 90 days");
  EXPECT_EQ(line_of({{"percentile", 0.93}}), "faster than 93 % of 412 runs of this model, 90 days");
  EXPECT_EQ(line_of({{"percentile", 0}}), "no faster than any of 412 runs of this model, 90 days");
  EXPECT_EQ(line_of({{"percentile", 0.9999}}), "faster than 99 % of 412 runs of this model, 90 days");
  EXPECT_EQ(line_of({{"population", 20}}), "slower than 82 % of 20 runs of this model, 90 days");
}

TEST(Percentile, FewRunsAreSaidToBeAnEstimate) {
  EXPECT_EQ(
      line_of({{"population", 19}, {"shrunk", true}}),
      "estimated slower than 82 %: the specification's estimate (score 58), shrunk towards the only 19 runs of this "
      "model, 90 days");
  EXPECT_EQ(
      line_of({{"population", 1}, {"shrunk", true}, {"percentile", 0.6}}),
      "estimated faster than 60 %: the specification's estimate (score 58), shrunk towards the only 1 run of this "
      "model, 90 days");
  EXPECT_EQ(line_of({{"population", 1}, {"shrunk", true}, {"percentile", 0}}).substr(0, 26),
            "estimated slower than 99 %");
  EXPECT_EQ(line_of({{"population", 1}, {"shrunk", true}, {"percentile", 1}}).substr(0, 26),
            "estimated faster than 99 %");
  EXPECT_EQ(line_of({{"population", 7}, {"specification_estimate", nullptr}}),
            "slower than 82 % of only 7 runs of this model, 90 days: too few to rely on");
  EXPECT_EQ(line_of({{"population", 1}, {"percentile", nullptr}}),
            "nothing to compare with in 1 run of this model, 90 days");
}

TEST(Percentile, NoRunsAtAll) {
  const nlohmann::json empty{{"population", nullptr}, {"percentile", nullptr}, {"median", nullptr},
                             {"p10", nullptr},        {"p90", nullptr},        {"days", nullptr}};
  EXPECT_EQ(line_of(empty), "the specification's estimate (score 58), as there are no runs of this model yet");
  nlohmann::json nothing = empty;
  nothing["specification_estimate"] = nullptr;
  EXPECT_EQ(line_of(nothing), "no runs of this model yet to compare with");
  EXPECT_EQ(
      line_of({{"population", 0}, {"shrunk", true}}),
      "estimated slower than 82 %: the specification's estimate (score 58), as there are no runs of this model yet");
  EXPECT_EQ(line_of({{"population", 0}, {"shrunk", true}, {"percentile", 1e-9}}).substr(0, 27),
            "estimated slower than 99 %:")
      << "an estimate knows nothing of all";
}

TEST(Percentile, AHostileAnswerIsRefused) {
  const auto refused = [](const std::string& text) {
    try {
      parse_percentile(text, kQuestion);
    } catch (const Error& error) {
      return error.code() == ErrorCode::unreadable_input;
    }
    return false;
  };
  EXPECT_FALSE(refused(good_answer().dump()));
  for (const char* const text : {"", "<html>", "[]", "null", "{}", "{\"gpu_model\":NaN}"}) EXPECT_TRUE(refused(text));
  EXPECT_TRUE(refused(good_answer().dump() + std::string(5'000, ' '))) << "too long";
  const nlohmann::json good = good_answer();
  for (const auto& [name, value] : good.items()) {
    nlohmann::json missing = good;
    missing.erase(name);
    EXPECT_TRUE(refused(missing.dump())) << name;
    for (const nlohmann::json& wrong : {nlohmann::json("\x1b[31m"), nlohmann::json(-1), nlohmann::json::array({1})}) {
      nlohmann::json changed = good;
      changed[name] = wrong;
      EXPECT_TRUE(refused(changed.dump())) << name << " = " << wrong;
    }
  }
  const auto with = [](const char* name, const nlohmann::json& value) {
    nlohmann::json changed = good_answer();
    changed[name] = value;
    return changed.dump();
  };
  EXPECT_TRUE(refused(with("percentile", 1.01)));
  EXPECT_TRUE(refused(with("population", 1.5)));
  EXPECT_TRUE(refused(with("population", 1'000'000'001)));
  EXPECT_TRUE(refused(with("days", 36'501)));
  EXPECT_TRUE(refused(with("median", 1e300)));
  EXPECT_TRUE(refused(with("median", 71)));
  EXPECT_TRUE(refused(with("p10", 61)));
  EXPECT_TRUE(refused(with("gpu_model", "Tesla T4")));
  EXPECT_TRUE(refused(with("gpu_count", 3)));
  EXPECT_TRUE(refused(with("score_version", "0.1")));
  nlohmann::json baseless = good_answer();
  baseless.update({{"shrunk", true}, {"specification_estimate", nullptr}});
  EXPECT_TRUE(refused(baseless.dump()));
}

}  // namespace
}  // namespace gpuassay
