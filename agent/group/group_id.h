// How does the group's id get from the measuring process of rank 0 to those of all others? Through their parents, as
// the measuring processes know nobody else.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/backends/nccl_backend.h"
#include "agent/file_descriptor.h"
#include "agent/group/launch.h"

namespace gpuassay {

/// Both ends of a line between a parent and its measuring process.
struct IdLine {
  FileDescriptor parent, child;
};
/// Throws Error{internal}.
IdLine make_id_line();

std::string hex_of(const nccl::UniqueId& id);
/// Empty for anything but 256 hexadecimal digits.
std::optional<nccl::UniqueId> id_from_hex(std::string_view hex);

/// Waits for it; empty when the other end is gone.
std::optional<nccl::UniqueId> read_group_id(int fd);
bool write_group_id(int fd, const nccl::UniqueId& id);

/// In the measuring process: rank 0 makes the id and hands it to its parent at `fd`, the others wait for it there.
std::unique_ptr<Backend> join_group(const GroupMember& member, const Launch& launch, int fd);

}  // namespace gpuassay
