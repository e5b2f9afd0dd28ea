// A hand-made result of a rented V100, marked simulated: no test machine has one.
#pragma once

#include <string>

#include "core/model.h"
#include "core/signature.h"

namespace gpuassay::test {

/// `count` simulated Tesla V100 with 32 GB at Tencent, started on 1 August 2022, score 40 (a made-up figure).
Result simulated_v100_result(int count = 1);

/// A POST of `body` to /v1/results as an agent with `key` sends it.
std::string upload_message(const std::string& body, const KeyPair& key,
                           const std::string& content_type = "application/json");

}  // namespace gpuassay::test
