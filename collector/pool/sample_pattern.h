// Are the samples of two runs copies of each other, scaled or with their last digits changed? Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "core/model.h"

namespace gpuassay {

/// Numbers that copies have in common and other runs do not: of every measurement the signs of how its samples bend
/// (second differences), 32 of them and the names of their measurements in one number. Scaling changes none.
std::vector<std::int64_t> sample_patterns(const Result& result);

/// True when nearly all measurements that both have are the same up to a factor: what is left of the ratio of their
/// samples is far below the samples' own spread, which two independent runs never are.
bool are_copies(const Result& one, const Result& other);

}  // namespace gpuassay
