#include "core/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "core/error.h"
#include "core/quick_schema.h"
#include "embedded/ResultSchema.h"

namespace gpuassay {
namespace {

using valijson::adapters::NlohmannJsonAdapter;

/// The library names places "<root>", "[\"score\"]", "[0]"; users get the JSON pointer "/score/0" (RFC 6901).
std::string pointer_of(const std::vector<std::string>& context) {
  std::string pointer;
  for (const std::string& step : context) {
    if (step.size() < 2 || step.front() != '[') continue;
    std::string_view name(step);
    name = name.substr(1, name.size() - 2);
    if (name.size() >= 2 && name.front() == '"') name = name.substr(1, name.size() - 2);
    pointer += '/';
    for (const char c : name) {
      if (c == '~')
        pointer += "~0";
      else if (c == '/')
        pointer += "~1";
      else
        pointer += c;
    }
  }
  return pointer.empty() ? "(whole document)" : pointer;
}

void collect_patterns(const nlohmann::json& schema, nlohmann::json& alternatives) {
  if (!schema.is_structured()) return;
  if (schema.is_object() && schema.contains("pattern") && schema["pattern"].is_string())
    alternatives.push_back({{"pattern", schema["pattern"]}});
  for (const auto& part : schema) collect_patterns(part, alternatives);
}

/// The library compiles a pattern when a document first needs it, and keeps it in the validator. Compiling is slow, and
/// neither that nor the C++ library's compiler of patterns is safe for two threads, so all of it is done here.
valijson::Validator with_compiled_patterns(const nlohmann::json& schema) {
  nlohmann::json alternatives = nlohmann::json::array();
  collect_patterns(schema, alternatives);
  valijson::Validator validator;
  if (alternatives.empty()) return validator;
  valijson::Schema all_patterns;
  const nlohmann::json all{{"allOf", alternatives}};
  valijson::SchemaParser(valijson::SchemaParser::kDraft7).populateSchema(NlohmannJsonAdapter(all), all_patterns);
  const nlohmann::json any_text("");
  valijson::ValidationResults ignored;  // with a place for results it does not stop at the first mismatch
  validator.validate(all_patterns, NlohmannJsonAdapter(any_text), &ignored);
  return validator;
}

}  // namespace

std::string_view schema_text(std::string_view name) {
  if (name == "result") return embedded::kResultSchema;
  throw Error(ErrorCode::usage, fmt::format("there is no schema named '{}'; the known one is: result", name));
}

struct SchemaValidator::Parsed {
  valijson::Schema schema;
  valijson::Validator validator;     // holds the patterns of the schema, compiled; copied for each use
  std::optional<QuickSchema> quick;  // accepts most of what is valid in a tenth of the time
};

SchemaValidator::SchemaValidator(std::unique_ptr<Parsed> parsed) : parsed_(std::move(parsed)) {}
SchemaValidator::SchemaValidator(std::string_view schema_name)
    : SchemaValidator(from_text(gpuassay::schema_text(schema_name))) {}
SchemaValidator::SchemaValidator(SchemaValidator&&) noexcept = default;
SchemaValidator& SchemaValidator::operator=(SchemaValidator&&) noexcept = default;
SchemaValidator::~SchemaValidator() = default;

SchemaValidator SchemaValidator::from_text(std::string_view schema_text) {
  auto parsed = std::make_unique<Parsed>();
  try {
    const nlohmann::json json = nlohmann::json::parse(schema_text);
    valijson::SchemaParser(valijson::SchemaParser::kDraft7).populateSchema(NlohmannJsonAdapter(json), parsed->schema);
    parsed->validator = with_compiled_patterns(json);
    parsed->quick.emplace(json);
  } catch (const std::exception& error) {  // both libraries throw their own kinds
    throw Error(ErrorCode::internal, fmt::format("a schema cannot be read: {}; report this as a bug", error.what()));
  }
  return SchemaValidator(std::move(parsed));
}

std::vector<std::string> SchemaValidator::violations(const nlohmann::json& document, std::size_t max_messages) const {
  if (parsed_->quick->judge(document) == QuickSchema::Verdict::valid) return {};
  return reasons(document, max_messages);
}

std::vector<std::string> SchemaValidator::reasons(const nlohmann::json& document, std::size_t max_messages) const {
  valijson::ValidationResults results;
  valijson::Validator validator = parsed_->validator;  // its cache is not made for several threads
  if (validator.validate(parsed_->schema, NlohmannJsonAdapter(document), &results)) return {};
  // Errors come from the outside in ("/score: does not match"); the deepest place is the one to repair.
  std::vector<valijson::ValidationResults::Error> errors(results.begin(), results.end());
  std::sort(errors.begin(), errors.end(), [](const auto& left, const auto& right) {
    return std::tuple(right.context.size(), std::string_view(left.description)) <
           std::tuple(left.context.size(), std::string_view(right.description));
  });
  std::vector<std::string> messages;
  for (const auto& error : errors) {
    if (messages.size() >= max_messages) break;
    std::string message = fmt::format("{}: {}", pointer_of(error.context), error.description);
    if (std::find(messages.begin(), messages.end(), message) == messages.end()) messages.push_back(std::move(message));
  }
  if (messages.empty()) messages.emplace_back("(whole document): does not match the schema");
  return messages;
}

std::vector<std::string> schema_violations(const nlohmann::json& document, std::string_view schema_name) {
  return SchemaValidator(schema_name).violations(document);
}

}  // namespace gpuassay
