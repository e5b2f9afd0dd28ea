#include "agent/group/group_id.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace gpuassay {

IdLine make_id_line() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw_errno(ErrorCode::internal, "cannot make a line to the measuring process", errno);
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

std::string hex_of(const nccl::UniqueId& id) {
  std::string hex;
  for (const char byte : id.internal) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return hex;
}

std::optional<nccl::UniqueId> id_from_hex(std::string_view hex) {
  nccl::UniqueId id{};
  if (hex.size() != 2 * sizeof id.internal) return std::nullopt;
  const auto digit = [](char c) { return std::string_view("0123456789abcdef").find(c); };
  for (std::size_t i = 0; i < sizeof id.internal; ++i) {
    const std::size_t high = digit(hex[2 * i]);
    const std::size_t low = digit(hex[2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    id.internal[i] = static_cast<char>(16 * high + low);
  }
  return id;
}

std::optional<nccl::UniqueId> read_group_id(int fd) {
  nccl::UniqueId id{};
  const ssize_t size = ::recv(fd, &id, sizeof id, MSG_WAITALL);
  return size == static_cast<ssize_t>(sizeof id) ? std::optional(id) : std::nullopt;
}

bool write_group_id(int fd, const nccl::UniqueId& id) {
  return ::send(fd, &id, sizeof id, MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof id);
}

std::unique_ptr<Backend> join_group(const GroupMember& member, const Launch& launch, int fd) {
  WorldPlace place{launch.rank, launch.ranks, {}};
  if (launch.rank == 0) {
    place.id = make_unique_id(member);
    if (!write_group_id(fd, place.id)) throw Error(ErrorCode::internal, "the parent does not take the group's id");
  } else {
    const auto id = read_group_id(fd);
    if (!id) throw Error(ErrorCode::library_failed, "rank 0 has no id for the group");
    place.id = *id;
  }
  return make_nccl_backend({member}, place);
}

}  // namespace gpuassay
