// What was learned of the platform: field by field the value and where it came from, or why there is none.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace gpuassay {

/// `instance_id` is raw here: it leaves this stage hashed under the machine's key, or not at all.
enum class PlatformField { instance_type, region, zone, pricing_model, instance_id };

inline constexpr std::array<PlatformField, 5> kPlatformFields{PlatformField::instance_type, PlatformField::region,
                                                              PlatformField::zone, PlatformField::pricing_model,
                                                              PlatformField::instance_id};

/// The name in the result document, which has a hash in the place of the instance id.
constexpr std::string_view field_name(PlatformField field) {
  constexpr std::array<std::string_view, 5> kNames{"instance_type", "region", "zone", "pricing_model",
                                                   "instance_id_hash"};
  return kNames[static_cast<std::size_t>(field)];
}

/// Where a value comes from, as `platform.source` says it. The first three are somebody's own words.
namespace source {
inline constexpr std::string_view kFlag = "flag", kOverrideVariable = "override_env", kOverrideFile = "override_file";
inline constexpr std::string_view kMetadata = "metadata", kFirmware = "dmi", kVariable = "env", kFile = "file";
/// Follows from what another source says, such as a region from its zone.
inline constexpr std::string_view kDerived = "derived";
}  // namespace source

struct Fact {
  std::string value, source;
  bool operator==(const Fact&) const = default;
};

struct PlatformFacts {
  std::optional<Fact> provider;  ///< a slug of the contract
  std::optional<Fact> underlying;
  std::map<PlatformField, Fact> values;
  std::map<PlatformField, std::string> reasons;  ///< of absent fields; one without an entry has no particular reason
  std::string provider_reason;                   ///< why the provider is unknown

  /// Keeps what is there already.
  void add(PlatformField field, std::string value, std::string_view from) {
    values.try_emplace(field, Fact{std::move(value), std::string(from)});
  }
};

}  // namespace gpuassay
