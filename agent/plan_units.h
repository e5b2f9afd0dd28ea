// Units in which plans are written.
#pragma once

#include <cstdint>

namespace gpuassay {

inline constexpr std::int64_t kMs = 1'000'000;  ///< nanoseconds
inline constexpr std::int64_t kMiB = std::int64_t{1} << 20;
inline constexpr std::int64_t kGiB = std::int64_t{1} << 30;

}  // namespace gpuassay
