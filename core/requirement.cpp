#include "core/requirement.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <utility>

#include "core/error.h"
#include "core/headlines.h"

namespace gpuassay {
namespace {

constexpr std::array<std::pair<std::string_view, Relation>, 5> kRelations{{{">=", Relation::at_least},
                                                                           {"<=", Relation::at_most},
                                                                           {"==", Relation::equal},
                                                                           {">", Relation::more_than},
                                                                           {"<", Relation::less_than}}};
constexpr std::string_view kScoreValue = "score.value", kFraction = "score.fraction_of_expected",
                           kPerDollar = "score_per_usd_hour";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') + 1 - first);
}

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw Error(ErrorCode::usage, fmt::format("--require '{}': {}", text, why));
}

/// Every figure that a result can be held to.
std::vector<std::string> all_paths() {
  std::vector<std::string> paths{std::string(kScoreValue), std::string(kFraction), std::string(kPerDollar)};
  const std::vector<std::string>& headlines = instance_headline_paths();
  paths.insert(paths.end(), headlines.begin(), headlines.end());
  return paths;
}

/// "gemm_tflop_per_s.fp16.burst" ends "summary.instance.gemm_tflop_per_s.fp16.burst", "16.burst" does not.
bool ends_with_parts(std::string_view path, std::string_view parts) {
  return path == parts ||
         (path.size() > parts.size() && path.ends_with(parts) && path[path.size() - parts.size() - 1] == '.');
}

/// The paths that have most parts of the name, in any place: what somebody may have meant.
std::vector<std::string> like(const std::vector<std::string>& paths, std::string_view name) {
  const auto parts_in = [name](const std::string& path) {
    std::size_t count = 0;
    for (std::size_t begin = 0; begin <= name.size();) {
      const std::size_t end = std::min(name.find('.', begin), name.size());
      if (end > begin && path.find(name.substr(begin, end - begin)) != std::string::npos) ++count;
      begin = end + 1;
    }
    return count;
  };
  std::size_t most = 0;
  for (const std::string& path : paths) most = std::max(most, parts_in(path));
  std::vector<std::string> found;
  std::copy_if(paths.begin(), paths.end(), std::back_inserter(found),
               [&](const std::string& path) { return most > 0 && parts_in(path) == most; });
  return found;
}

constexpr std::size_t kMostShown = 4;

std::string shown(std::vector<std::string> paths) {
  const std::size_t more = paths.size() - std::min(paths.size(), kMostShown);
  paths.resize(paths.size() - more);
  return fmt::format("{}{}", fmt::join(paths, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
}

std::string whole_path(std::string_view name, std::string_view text) {
  const std::vector<std::string> paths = all_paths();
  std::vector<std::string> fitting;
  for (const std::string& path : paths) {
    if (path == name) return path;
    if (ends_with_parts(path, name)) fitting.push_back(path);
  }
  if (fitting.size() == 1) return fitting.front();
  if (fitting.size() > 1) refuse(text, fmt::format("'{}' could be {}; write more of it", name, shown(fitting)));
  std::vector<std::string> meant = like(paths, name);
  if (name.empty() || meant.empty()) meant = paths;
  refuse(text, fmt::format("no result has '{}'; there are {}", name, shown(meant)));
}

std::optional<double> number_of(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::optional<double> value_of(std::string_view path, const Result& result) {
  if (path == kScoreValue) return result.score.value;
  if (path == kFraction) return result.score.fraction_of_expected;
  if (path == kPerDollar) return result.score_per_usd_hour;
  return instance_headline(result.summary.instance, path);
}

bool holds(double value, Relation relation, double number) {
  switch (relation) {
    case Relation::at_least: return value >= number;
    case Relation::more_than: return value > number;
    case Relation::at_most: return value <= number;
    case Relation::less_than: return value < number;
    case Relation::equal: return value == number;
  }
  return false;
}

}  // namespace

Requirement parse_requirement(std::string_view text) {
  const std::size_t at = text.find_first_of("<>=");
  if (at == std::string_view::npos) refuse(text, "write a figure, >=, >, <=, < or ==, and a number");
  const auto* const relation = std::find_if(kRelations.begin(), kRelations.end(),
                                            [&](const auto& each) { return text.substr(at).starts_with(each.first); });
  if (relation == kRelations.end()) refuse(text, "a comparison is one of >=, >, <=, <, ==");
  const std::string_view right = trimmed(text.substr(at + relation->first.size()));
  const auto number = number_of(right);
  if (!number) refuse(text, fmt::format("'{}' is no number", right));
  return {std::string(text), whole_path(trimmed(text.substr(0, at)), text), relation->second, *number};
}

RequirementAnswer check_requirement(const Requirement& requirement, const Result& result) {
  const std::optional<double> value = value_of(requirement.path, result);
  return {value, value && holds(*value, requirement.relation, requirement.number)};
}

std::vector<std::string> unmet_requirements(const std::vector<Requirement>& requirements, const Result& result) {
  std::vector<std::string> lines;
  for (const Requirement& each : requirements) {
    const RequirementAnswer answer = check_requirement(each, result);
    if (answer.met) continue;
    lines.push_back(fmt::format("required {}: {}", each.text,
                                answer.value ? fmt::format("not met, {} is {}", each.path, *answer.value)
                                             : fmt::format("not met, this result has no {}", each.path)));
  }
  return lines;
}

}  // namespace gpuassay
