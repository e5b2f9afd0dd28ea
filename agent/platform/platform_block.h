// The block `platform` of a result and the reasons of its nulls, made of facts. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/platform/facts.h"
#include "core/model.h"

namespace gpuassay {

/// Hashes an identifier of this kind under the machine's key; empty where there is no key.
using IdentifierHash = std::function<std::optional<std::string>(std::string_view kind, std::string_view identifier)>;

/// Replaces `platform` and all of its entries in `unknown`.
void set_platform(const PlatformFacts& facts, const std::vector<std::string>& layers, const IdentifierHash& hash,
                  Platform& platform, std::vector<Unknown>& unknown);

}  // namespace gpuassay
