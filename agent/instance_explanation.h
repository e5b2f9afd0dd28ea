// How do the figures of several GPUs together come about? As JSON and as text, line by line.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/model.h"

namespace gpuassay {

/// Every workload in both precisions on the whole instance, with what a data-parallel step is made of; empty with one
/// device.
nlohmann::json explain_instance(const Result& result, const std::vector<Measurement>& measurements);
std::string instance_text(const nlohmann::json& instance);

}  // namespace gpuassay
