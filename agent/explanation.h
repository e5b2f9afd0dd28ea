// How does a score come about? What each workload is predicted to take, as JSON and as text.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/model.h"

namespace gpuassay {

/// The arithmetic from samples per second to classes and value.
std::string index_text(const Score& score);

/// What the operations measured say about every workload of docs/WORKLOADS.md in both precisions, device by device.
nlohmann::json explain_predictions(const Result& result, const std::vector<Measurement>& measurements);
std::string predictions_text(const nlohmann::json& predictions);

/// What few cards can hold: predicted, or how many of these devices it takes.
nlohmann::json explain_large(const Result& result, const std::vector<Measurement>& measurements);
std::string large_text(const nlohmann::json& large);

}  // namespace gpuassay
