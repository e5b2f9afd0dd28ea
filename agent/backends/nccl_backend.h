// Measures what several GPUs do together: NCCL's collectives.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "agent/backends/backend.h"
#include "agent/backends/nccl_group.h"

namespace gpuassay {

/// The group is made at the first case. In the worker process only. Every run is timed by events on the streams and
/// takes as long as on the slowest rank. With a `place` every process of the group must be asked for the same cases in
/// the same order: as all agree on how long each run took, they also agree on how many follow.
///
/// Operations: collectives with as many ranks as the group has; anything else is Error{unsupported}.
std::unique_ptr<Backend> make_nccl_backend(std::vector<GroupMember> members, std::optional<WorldPlace> place = {});

/// Throws Error{unsupported} where this NCCL lacks the collective, its type, or cannot be recorded in graphs.
std::unique_ptr<Operation> prepare_collective(std::shared_ptr<NcclGroup> group, const CollectiveParams& params);

}  // namespace gpuassay
