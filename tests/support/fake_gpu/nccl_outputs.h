// What does each rank of a fake communicator get, given what all hand in?
#pragma once

#include <exception>
#include <memory>
#include <vector>

#include "kernels/number_formats.h"
#include "tests/support/fake_gpu/nccl_parts.h"

namespace gpuassay::fake {

/// A status of NCCL on its way to the caller.
class NcclFailure final : public std::exception {
 public:
  explicit NcclFailure(int cause) : status(cause) {}
  int status;
};

/// Throws NcclFailure{kInvalidArgument} for a type that it does not know.
kernels::ElementFormat format_of_type(int data_type);
unsigned bytes_of_type(int data_type);
std::uint64_t bytes_handed_in(const Posted& posted, int ranks);

/// Part of what one call writes, `offset` bytes behind its receive pointer.
struct OutputPart {
  std::uint64_t offset = 0, bytes = 0;
  std::shared_ptr<const ElementRecipe> recipe;
  kernels::ElementFormat format = kernels::ElementFormat::fp32;
};
using Output = std::vector<OutputPart>;

/// Throws NcclFailure{kInvalidUsage} unless all ranks make the same collectives and every send is received.
void require_matching(const std::vector<PostedGroup>& all);

/// What each call of `rank` writes, in the order of its calls. Throws as require_matching does.
std::vector<Output> outputs_of(int rank, const std::vector<PostedGroup>& all);

}  // namespace gpuassay::fake
