#include "agent/platform/overrides.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "agent/probe/text_fields.h"
#include "core/error.h"
#include "core/provider_names.h"

namespace gpuassay {
namespace {

struct Setting {
  std::string_view in_file, variable;
  std::optional<PlatformField> field;  ///< empty for the provider
};

constexpr std::array<Setting, 4> kSettings{{
    {"provider", "GPUASSAY_PROVIDER", std::nullopt},
    {"instance_type", "GPUASSAY_INSTANCE_TYPE", PlatformField::instance_type},
    {"region", "GPUASSAY_REGION", PlatformField::region},
    {"pricing_model", "GPUASSAY_PRICING_MODEL", PlatformField::pricing_model},
}};
constexpr std::array<std::string_view, 6> kPricingModels{"on_demand", "spot",    "preemptible",
                                                         "reserved",  "monthly", "free"};
/// As schemas/result.v1.json has it.
constexpr std::size_t kLongestProvider = 32;

/// Throws Error where the text is no provider's name.
std::string checked_provider(std::string_view text) {
  std::string slug = provider_slug(trim(text));
  std::replace(slug.begin(), slug.end(), '-', '_');
  if (slug.size() > kLongestProvider)
    throw Error(ErrorCode::usage, fmt::format("a provider's name has at most {} characters", kLongestProvider));
  return slug;
}

/// Keeps what is there already: the first to say something wins. Throws Error.
void say(PlatformOverrides& overrides, const Setting& setting, std::string_view text, std::string_view from) {
  if (!setting.field) {
    std::string provider = checked_provider(text);
    if (!overrides.provider) overrides.provider = Fact{std::move(provider), std::string(from)};
    return;
  }
  const auto value = clean_text(text);
  if (!value) return;
  if (setting.field == PlatformField::pricing_model &&
      std::find(kPricingModels.begin(), kPricingModels.end(), *value) == kPricingModels.end())
    throw Error(ErrorCode::usage, fmt::format("pricing_model must be one of {}", fmt::join(kPricingModels, ", ")));
  overrides.values.try_emplace(*setting.field, Fact{*value, std::string(from)});
}

void say_or_refuse(PlatformOverrides& overrides, const Setting& setting, std::string_view name, std::string_view text,
                   std::string_view from) {
  try {
    say(overrides, setting, text, from);
  } catch (const Error& error) {
    overrides.refused.push_back(fmt::format("{} is not used: {}", name, error.what()));
  }
}

void read_file(PlatformOverrides& overrides, std::string_view file) {
  constexpr std::size_t kMostRefusals = 8;
  for (std::string_view line : split(file, '\n')) {
    line = trim(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const auto sides = split_key_value(line, '=');
    const auto* setting = std::find_if(kSettings.begin(), kSettings.end(),
                                       [&](const Setting& each) { return sides && each.in_file == sides->first; });
    if (setting != kSettings.end()) {
      say_or_refuse(overrides, *setting, fmt::format("{} of {}", setting->in_file, kOverrideFile), sides->second,
                    source::kOverrideFile);
    } else if (overrides.refused.size() < kMostRefusals) {
      overrides.refused.push_back(
          fmt::format("a line of {} is not used: write provider=, instance_type=, region= or "
                      "pricing_model=",
                      kOverrideFile));
    }
  }
}

}  // namespace

PlatformOverrides read_overrides(const PlatformFlags& flags, const PlatformVariables& variables,
                                 std::string_view file) {
  PlatformOverrides overrides;
  const std::array<const std::optional<std::string>*, 4> values{&flags.provider, &flags.instance_type, &flags.region,
                                                                &flags.pricing_model};
  for (std::size_t i = 0; i < kSettings.size(); ++i) {
    if (*values[i]) say(overrides, kSettings[i], **values[i], source::kFlag);
  }
  for (const Setting& setting : kSettings) {
    const auto found = variables.find(setting.variable);
    if (found != variables.end())
      say_or_refuse(overrides, setting, setting.variable, found->second, source::kOverrideVariable);
  }
  read_file(overrides, file);
  return overrides;
}

PlatformFacts with_overrides(PlatformFacts facts, const PlatformOverrides& overrides) {
  if (overrides.provider) {
    if (facts.provider && facts.provider->value != overrides.provider->value) {
      facts.underlying = facts.provider;
      facts.values.clear();
      facts.reasons.clear();
      for (const PlatformField field : kPlatformFields)
        facts.reasons[field] =
            fmt::format("what {} says of it does not count for the provider that was given", facts.provider->value);
    }
    facts.provider = overrides.provider;
  }
  for (const auto& [field, fact] : overrides.values) facts.values[field] = fact;
  return facts;
}

}  // namespace gpuassay
