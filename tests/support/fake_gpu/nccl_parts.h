// What do the ranks of a fake communicator hand each other? Parts of memory as recipes; between processes a part that
// was filled by a kernel travels as its rule, everything else as bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/fake_gpu/recipe.h"

namespace gpuassay::fake {

enum class NcclKind : std::uint32_t { all_reduce, all_gather, reduce_scatter, send, receive };

/// One call of one rank as the others need to know it; `part` is what it hands in.
struct Posted {
  NcclKind kind = NcclKind::all_reduce;
  std::uint64_t count = 0;
  int data_type = 0, operation = 0, peer = -1;
  View part;
};

/// All calls of one rank within one group.
using PostedGroup = std::vector<Posted>;

std::string packed(const PostedGroup& group);
/// Throws std::runtime_error when `text` is cut off.
PostedGroup unpacked(const std::string& text);

}  // namespace gpuassay::fake
