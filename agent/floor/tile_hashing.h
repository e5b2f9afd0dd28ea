// The hashes of all tiles of a result, with the processor's own instructions for SHA-256: a megabyte in half a
// millisecond, where portable code takes ten times as long and would be a part of the time that is measured.
#pragma once

#include <cstdint>
#include <span>

#include "core/merkle.h"

namespace gpuassay {

/// tile_hash() of the tiles in rows of them: `result` is row-major with `columns` numbers a row, which are integers
/// that int32 holds, and `digests` has columns / 16 entries for each 16 rows. From one thread each. Throws
/// Error{internal} when OpenSSL has no SHA-256.
void hash_tile_rows(const float* result, std::int64_t columns, std::span<Digest> digests);
void hash_tile_rows(const std::int32_t* result, std::int64_t columns, std::span<Digest> digests);

}  // namespace gpuassay
