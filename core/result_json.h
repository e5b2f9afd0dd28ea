// The result document: value types to JSON and back. One table of fields per type serves both directions, so that
// writer and reader cannot drift apart. The schema is schemas/result.v1.json.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "core/model.h"

namespace gpuassay {

/// Every field of the contract, empty optionals as null.
nlohmann::json to_json(const Result& result);

/// Inverse of to_json. Fields this version does not know are ignored (a newer 1.x may have added them); a missing
/// field, a wrong type or another major schema version throws Error{unreadable_input} naming the JSON pointer.
Result result_from_json(const nlohmann::json& document);

/// One measurement alone, as it stands in `measurements[]`: used for the journal of a run in progress.
nlohmann::json to_json(const Measurement& measurement);
Measurement measurement_from_json(const nlohmann::json& document);

/// One machine of a run on several, as it stands in `nodes[]`: how it tells of itself.
nlohmann::json to_json(const Node& node);
Node node_from_json(const nlohmann::json& document);

/// What `gpuassay probe --json` prints: host, platform, devices, libraries, unknown.
nlohmann::json to_json(const Inventory& inventory);

/// The canonical body that is saved, signed and uploaded: UTF-8, keys sorted, no spaces, no trailing newline.
/// Doubles in their shortest form that reads back to the same value.
std::string canonical_json(const Result& result);

/// Parses untrusted text within the document limits (core/json_guard.h) and binds it.
Result parse_result(std::string_view text);

}  // namespace gpuassay
