// From where do the operands of a timed operation come? Not from the cache in which the run before left them.
#pragma once

#include <cstdint>

namespace gpuassay {

/// How many copies of operands of `operand_bytes` an operation must rotate through, so that each run finds its operands
/// in memory and not in the last cache, where the previous run of a benchmark left them but no real program would:
/// together they are at least twice `cache_bytes`, and at most a quarter of `free_bytes`. 1 when one set is that large
/// already.
int copies_beyond_cache(std::int64_t operand_bytes, std::int64_t cache_bytes, std::int64_t free_bytes);

}  // namespace gpuassay
