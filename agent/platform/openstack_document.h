// The document that every OpenStack serves, also under other names; who reads it says what it means there.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "agent/platform/metadata_reader.h"

namespace gpuassay {

inline constexpr std::string_view kOpenstackDocument = "/openstack/latest/meta_data.json";

/// Its `uuid`, when it is one.
std::optional<std::string> openstack_uuid(const nlohmann::json& document);
/// Its availability zone; "nova", the default, tells nothing and is none.
std::optional<std::string> openstack_zone(const nlohmann::json& document);

}  // namespace gpuassay
