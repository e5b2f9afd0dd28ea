#include "agent/percentile.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/json_guard.h"

namespace gpuassay {
namespace {

constexpr std::int64_t kMostRuns = 1'000'000'000;
constexpr std::int64_t kMostDays = 36'500;
constexpr double kHighestScore = 1e9;

/// RFC 3986: everything but the unreserved characters as %XX.
std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain)
      encoded += c;
    else
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

[[noreturn]] void refuse(const char* member, std::string_view why) {
  throw Error(ErrorCode::unreadable_input, fmt::format("the collector's comparison: {} {}", member, why));
}

const nlohmann::json& member_of(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) refuse(name, "is missing");
  return *found;
}

void require_echo(const nlohmann::json& object, const char* name, const nlohmann::json& asked) {
  if (member_of(object, name) != asked) refuse(name, "is not what was asked for");
}

/// A whole number from 0 to `most`; null counts as none.
std::int64_t count_of(const nlohmann::json& object, const char* name, std::int64_t most) {
  const nlohmann::json& value = member_of(object, name);
  if (value.is_null()) return 0;
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > static_cast<std::uint64_t>(most))
    refuse(name, "is no possible count");
  return value.get<std::int64_t>();
}

std::optional<double> number_of(const nlohmann::json& object, const char* name, double most) {
  const nlohmann::json& value = member_of(object, name);
  if (value.is_null()) return std::nullopt;
  if (!value.is_number()) refuse(name, "is no number");
  const auto number = value.get<double>();
  if (!(number >= 0 && number <= most)) refuse(name, "is outside what it can be");
  return number;
}

/// 100 only for what is true of all.
long whole_percent(double share) {
  const long rounded = std::lround(share * 100);
  return share < 1 ? std::min(rounded, 99L) : rounded;
}

std::string runs_text(std::int64_t population) {
  return fmt::format("{} {} of this model", population, population == 1 ? "run" : "runs");
}

/// "slower than 82 %": whichever half the run is in.
std::string place_text(double percentile) {
  constexpr double kMiddle = 0.5;
  return percentile < kMiddle ? fmt::format("slower than {} %", whole_percent(1 - percentile))
                              : fmt::format("faster than {} %", whole_percent(percentile));
}

/// Of an estimate, which knows nothing of all, nor of none.
std::string estimated_place_text(double percentile) {
  constexpr double kLeast = 0.01;
  return place_text(std::clamp(percentile, kLeast, 1 - kLeast));
}

std::string expected_text(const PercentileAnswer& answer) {
  return answer.specification_estimate ? fmt::format(" (score {:.4g})", *answer.specification_estimate) : "";
}

std::string without_runs(const PercentileAnswer& answer) {
  if (!answer.specification_estimate) return "no runs of this model yet to compare with";
  const std::string place =
      answer.percentile ? fmt::format("estimated {}: ", estimated_place_text(*answer.percentile)) : "";
  return fmt::format("{}the specification's estimate{}, as there are no runs of this model yet", place,
                     expected_text(answer));
}

}  // namespace

std::optional<PercentileQuestion> percentile_question(const Result& result) {
  PercentileQuestion question;
  for (const Device& device : result.devices) {
    if (device.kind != DeviceKind::cuda) continue;
    if (!device.model || (question.gpu_count > 0 && *device.model != question.gpu_model)) return std::nullopt;
    question.gpu_model = *device.model;
    ++question.gpu_count;
  }
  if (question.gpu_count == 0 || !result.score.value) return std::nullopt;
  question.score_version = result.score.version;
  question.score = *result.score.value;
  return question;
}

std::string percentile_target(const PercentileQuestion& question) {
  return fmt::format("/v1/percentile?gpu_model={}&gpu_count={}&score_version={}&score={}",
                     percent_encoded(question.gpu_model), question.gpu_count, percent_encoded(question.score_version),
                     percent_encoded(fmt::format("{}", question.score)));
}

PercentileAnswer parse_percentile(std::string_view json, const PercentileQuestion& question) {
  constexpr JsonLimits kLimits{4096, 2, 64, 256};
  const nlohmann::json object = parse_untrusted_json(json, kLimits);
  if (!object.is_object()) refuse("the answer", "is no object");
  require_echo(object, "gpu_model", question.gpu_model);
  require_echo(object, "gpu_count", question.gpu_count);
  require_echo(object, "score_version", question.score_version);
  PercentileAnswer answer;
  answer.population = count_of(object, "population", kMostRuns);
  answer.days = count_of(object, "days", kMostDays);
  answer.percentile = number_of(object, "percentile", 1);
  answer.median = number_of(object, "median", kHighestScore);
  answer.p10 = number_of(object, "p10", kHighestScore);
  answer.p90 = number_of(object, "p90", kHighestScore);
  answer.specification_estimate = number_of(object, "specification_estimate", kHighestScore);
  const nlohmann::json& shrunk = member_of(object, "shrunk");
  if (!shrunk.is_boolean()) refuse("shrunk", "is neither true nor false");
  answer.shrunk = shrunk.get<bool>();
  if (answer.shrunk && !answer.specification_estimate) refuse("shrunk", "is true without an estimate");
  const auto p10 = answer.p10.value_or(0), median = answer.median.value_or(p10), p90 = answer.p90.value_or(median);
  if (p10 > median || median > p90) refuse("median", "is not between p10 and p90");
  return answer;
}

std::string percentile_line(const PercentileAnswer& answer) {
  if (answer.population == 0) return without_runs(answer);
  const std::string runs = fmt::format("{}, {} days", runs_text(answer.population), answer.days);
  if (!answer.percentile) return fmt::format("nothing to compare with in {}", runs);
  if (answer.shrunk)
    return fmt::format("estimated {}: the specification's estimate{}, shrunk towards the only {}",
                       estimated_place_text(*answer.percentile), expected_text(answer), runs);
  if (answer.population < kFewRuns)
    return fmt::format("{} of only {}: too few to rely on", place_text(*answer.percentile), runs);
  if (*answer.percentile == 0) return fmt::format("no faster than any of {}", runs);
  return fmt::format("{} of {}", place_text(*answer.percentile), runs);
}

}  // namespace gpuassay
