#include "agent/backends/operand_copies.h"

#include <algorithm>

namespace gpuassay {

int copies_beyond_cache(std::int64_t operand_bytes, std::int64_t cache_bytes, std::int64_t free_bytes) {
  constexpr std::int64_t kOverCache = 2;
  constexpr std::int64_t kMemoryShare = 4;
  constexpr std::int64_t kMaxCopies = 64;
  if (operand_bytes <= 0) return 1;
  const std::int64_t wanted = (kOverCache * cache_bytes + operand_bytes - 1) / operand_bytes;
  const std::int64_t affordable = free_bytes / kMemoryShare / operand_bytes;
  return static_cast<int>(std::clamp<std::int64_t>(std::min(wanted, affordable), 1, kMaxCopies));
}

}  // namespace gpuassay
