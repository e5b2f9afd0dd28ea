#include "agent/server_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/json_guard.h"

namespace gpuassay {
namespace {

constexpr std::size_t kLongestText = 400;

std::string text_member(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

std::string shown(std::string_view text) {
  std::string safe(text.substr(0, kLongestText));
  std::replace_if(safe.begin(), safe.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return safe;
}

std::string refusal_text(const HttpAnswer& answer) {
  JsonLimits limits;
  limits.max_string_bytes = 4096;
  std::string reason = fmt::format("HTTP {}", answer.status);
  try {
    const nlohmann::json problem = parse_untrusted_json(answer.body, limits);
    if (!problem.is_object()) return reason;
    for (const char* const member : {"title", "detail"})
      if (const std::string text = text_member(problem, member); !text.empty()) reason += ": " + text;
    const auto violations = problem.find("violations");
    if (violations != problem.end() && violations->is_array() && !violations->empty() &&
        violations->front().is_string())
      reason += ": " + violations->front().get<std::string>();
  } catch (const Error&) {
    return reason;  // a page for people: its text would not help
  }
  return shown(reason);
}

std::string header_of(const HttpAnswer& answer, const std::string& name) {
  const auto found = answer.headers.find(name);
  return found == answer.headers.end() ? std::string() : found->second;
}

}  // namespace gpuassay
