#include "agent/sendable.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/json_guard.h"
#include "core/result_json.h"

namespace gpuassay {
namespace {

/// "2.0" of schema version 2.0; empty for any version that is read here, and for what has none.
std::string newer_version(const nlohmann::json& document) {
  const auto version = document.is_object() ? document.find("schema_version") : document.end();
  if (!document.is_object() || version == document.end() || !version->is_string()) return {};
  const std::string text = version->get<std::string>();
  const auto digits = text.find_first_not_of("0123456789");
  const bool numbered = digits != 0 && digits != std::string::npos && text[digits] == '.';
  const bool first_or_older = digits == 1 && text[0] <= '1';
  return numbered && !first_or_older ? text.substr(0, 20) : std::string();
}

}  // namespace

SendableAnswer look_at_saved_result(std::string_view run_id, std::string_view body) {
  try {
    const nlohmann::json document = parse_untrusted_json(body);
    if (const std::string version = newer_version(document); !version.empty())
      return {Sendable::newer,
              fmt::format("it has schema version {}; send it with the gpuassay that wrote it", version)};
    if (result_from_json(document).run_id != run_id) return {Sendable::damaged, "it holds the result of another run"};
    return {};
  } catch (const Error& error) {
    return {Sendable::damaged, error.what()};
  }
}

}  // namespace gpuassay
