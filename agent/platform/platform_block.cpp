#include "agent/platform/platform_block.h"

#include "agent/probe/text_fields.h"

namespace gpuassay {
namespace {

std::optional<std::string>& member_of(Platform& platform, PlatformField field) {
  switch (field) {
    case PlatformField::instance_type: return platform.instance_type;
    case PlatformField::region: return platform.region;
    case PlatformField::zone: return platform.zone;
    case PlatformField::pricing_model: return platform.pricing_model;
    case PlatformField::instance_id: break;
  }
  return platform.instance_id_hash;
}

}  // namespace

void set_platform(const PlatformFacts& facts, const std::vector<std::string>& layers, const IdentifierHash& hash,
                  Platform& platform, std::vector<Unknown>& unknown) {
  std::erase_if(unknown,
                [](const Unknown& entry) { return entry.path == "/platform" || entry.path.starts_with("/platform/"); });
  const auto explain = [&unknown](std::string_view field, std::string_view reason) {
    unknown.push_back({"/platform/" + std::string(field), clean_text(reason).value_or("not known")});
  };
  platform = Platform{};
  platform.host_layer = layers;
  if (facts.provider) {
    platform.provider = facts.provider->value;
    platform.source["provider"] = facts.provider->source;
  } else {
    explain("provider", facts.provider_reason);
  }
  if (facts.underlying) {
    platform.underlying = facts.underlying->value;
    platform.source["underlying"] = facts.underlying->source;
  } else {
    explain("underlying", "no other provider shows below this one");
  }
  for (const PlatformField field : kPlatformFields) {
    const std::string name(field_name(field));
    const auto found = facts.values.find(field);
    if (found == facts.values.end()) {
      const auto reason = facts.reasons.find(field);
      explain(name, reason == facts.reasons.end() ? "not known" : reason->second);
      continue;
    }
    std::optional<std::string> value = found->second.value;
    // The same number is another machine at another provider.
    if (field == PlatformField::instance_id)
      value = hash("instance_id", platform.provider + std::string(1, '\0') + found->second.value);
    if (!value) {
      explain(name, "this machine has no key: the data directory cannot be used");
      continue;
    }
    member_of(platform, field) = std::move(value);
    platform.source[name] = found->second.source;
  }
}

}  // namespace gpuassay
