// Names for runs: UUIDv7 (RFC 9562), so that sorting by name sorts by start time.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace gpuassay {

/// The UUIDv7 of `unix_ms` (48 bits are kept) with 10 random bytes, of which 74 bits are used.
std::string uuid_v7(std::int64_t unix_ms, const std::array<unsigned char, 10>& random);

/// uuid_v7 with random bytes from the kernel.
std::string new_run_id(std::int64_t unix_ms);

}  // namespace gpuassay
