// What does the user say about the platform? Flags before variables before a file that user data may drop.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/platform/evidence.h"
#include "agent/platform/facts.h"

namespace gpuassay {

/// The four flags of `gpuassay run`.
struct PlatformFlags {
  std::optional<std::string> provider, instance_type, region, pricing_model;
};

struct PlatformOverrides {
  std::optional<Fact> provider;
  std::map<PlatformField, Fact> values;
  std::vector<std::string> refused;  ///< variables and lines that say nothing usable, each with the reason
};

/// Lines NAME=VALUE with the names provider, instance_type, region and pricing_model; '#' begins a comment.
inline constexpr std::string_view kOverrideFile = "/etc/gpuassay/platform";

/// Flags that are no provider throw Error: somebody is there to read it. What variables and the file get wrong is
/// `refused`, as nobody is when a machine boots, and a measurement without a price is worth more than none.
PlatformOverrides read_overrides(const PlatformFlags& flags, const PlatformVariables& variables, std::string_view file);

/// What was said replaces what was found. Another provider than the one found is above that one, whose type, region and
/// price then mean nothing.
PlatformFacts with_overrides(PlatformFacts facts, const PlatformOverrides& overrides);

}  // namespace gpuassay
