// What does a measurement say that a price can be found for? From a measurement file or a result document.
#pragma once

#include <string_view>

#include "core/model.h"
#include "core/price_join.h"

namespace gpuassay {

/// Of a result: its CUDA devices, host and platform. A mix of GPU models has no gpu_model.
PriceQuestion price_question(const Result& result);

/// What an entry of `unknown` at "/devices" begins with when only some of the machine's GPUs were measured: prices are
/// of whole machines, so such a result asks for none.
inline constexpr std::string_view kPartOfMachine = "part_of_machine";
bool is_part_of_machine(const Result& result);

/// Reads a JSON object with the fields of the contract (provider, instance_type, region, gpu_model, gpu_variant,
/// gpu_count, gpus_used, gpu_memory_gib_total, vcpus, memory_gib, measured_at; pricing_model and commitment_months if
/// need be), or a result document. Throws Error{unreadable_input} naming the field.
PriceQuestion read_price_question(std::string_view json_text);

}  // namespace gpuassay
