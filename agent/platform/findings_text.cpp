#include "agent/platform/findings_text.h"

#include <algorithm>

#include "agent/probe/text_fields.h"

namespace gpuassay {
namespace {

constexpr std::string_view kValue = "value ", kReason = "reason ";

std::optional<PlatformField> field_of(std::string_view name) {
  const auto* const found = std::find_if(kPlatformFields.begin(), kPlatformFields.end(),
                                         [&](PlatformField field) { return field_name(field) == name; });
  return found == kPlatformFields.end() ? std::nullopt : std::optional(*found);
}

void add_lines(std::string_view kind, const std::map<PlatformField, std::string>& entries, std::string& text) {
  for (const auto& [field, entry] : entries) {
    text += std::string(kind) + std::string(field_name(field)) + "=" + clean_text(entry).value_or("") + "\n";
  }
}

}  // namespace

std::string to_text(const MetadataFindings& findings) {
  std::string text = findings.validated ? "validated=yes\n" : "";
  if (const auto provider = clean_text(findings.provider)) text += "provider=" + *provider + "\n";
  if (const auto problem = clean_text(findings.problem)) text += "problem=" + *problem + "\n";
  add_lines(kValue, findings.values, text);
  add_lines(kReason, findings.reasons, text);
  return text;
}

MetadataFindings findings_from_text(std::string_view text) {
  MetadataFindings findings;
  for (const std::string_view line : split(text, '\n')) {
    const auto sides = split_key_value(line, '=');
    if (!sides || sides->second.empty()) continue;
    const auto& [key, value] = *sides;
    if (key == "validated") findings.validated = true;
    if (key == "provider") findings.provider = value;
    if (key == "problem") findings.problem = value;
    if (key.starts_with(kValue)) {
      if (const auto field = field_of(key.substr(kValue.size()))) findings.values[*field] = value;
    }
    if (key.starts_with(kReason)) {
      if (const auto field = field_of(key.substr(kReason.size()))) findings.reasons[*field] = value;
    }
  }
  return findings;
}

}  // namespace gpuassay
