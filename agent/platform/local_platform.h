// Who rents this machine out, as far as it can be told without asking anybody; and who is to be asked for the rest?
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/platform/rule.h"

namespace gpuassay {

struct LocalPlatform {
  const PlatformRule* rule = nullptr;     ///< null: unknown
  const PlatformRule* machine = nullptr;  ///< the cloud that firmware shows; below `rule` where that is inside another
  PlatformFacts facts;
};

LocalPlatform look_locally(const Evidence& evidence);

/// Whose metadata service is asked.
struct MetadataQuestion {
  std::vector<const PlatformRule*> rules;  ///< the first that proves itself counts
  bool known = false;                      ///< it is this one's; else it is asked blindly whose it is
  std::string why_none;                    ///< without rules: why
};

/// `given`: the provider that the user named.
MetadataQuestion metadata_question(const LocalPlatform& local, const Evidence& evidence,
                                   const std::optional<std::string>& given);

/// Fills what is missing, and the reasons of what stays missing: those of the provider that the user named (`given`),
/// where one was. `question` is what led to `findings`.
PlatformFacts with_metadata(const LocalPlatform& local, const MetadataQuestion& question,
                            const MetadataFindings& findings, const std::optional<std::string>& given = std::nullopt);

}  // namespace gpuassay
