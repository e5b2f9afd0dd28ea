// Names for runs: UUIDv7 (RFC 9562), so that sorting by name sorts by start time.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace gpuassay {

/// The UUIDv7 of `unix_ms` (48 bits are kept) with 10 random bytes, of which 74 bits are used.
std::string uuid_v7(std::int64_t unix_ms, const std::array<unsigned char, 10>& random);

/// uuid_v7 with random bytes from the kernel.
std::string new_run_id(std::int64_t unix_ms);

/// True for a UUID in lower case, which is the only form that names a run: safe in a path and in a URL.
bool is_run_id(std::string_view text);

}  // namespace gpuassay
