// Is this entry in that list, and is the newer list the older one with more at its end? Merkle trees as RFC 6962 and
// RFC 9162 (section 2.1) have them: SHA-256, a leaf is hashed after the byte 0, a node after the byte 1. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gpuassay {

using Digest = std::array<unsigned char, 32>;

std::string hex(const Digest& digest);
/// 64 lower-case hexadecimal characters; empty for anything else.
std::optional<Digest> digest_from_hex(std::string_view text);

/// The hash of one entry.
Digest merkle_leaf_hash(std::string_view data);
Digest merkle_node_hash(const Digest& left, const Digest& right);

/// The root of a tree over 2^level leaves that begins at leaf index * 2^level; level 0 is a leaf's hash.
struct MerkleNode {
  unsigned level = 0;
  std::uint64_t index = 0;
  bool operator==(const MerkleNode&) const = default;
};
/// Gives a node's hash. It is asked only for nodes all of whose leaves exist.
using MerkleNodes = std::function<Digest(const MerkleNode&)>;

/// The root of the first `size` leaves; of none, the hash of nothing.
Digest merkle_root(const MerkleNodes& nodes, std::uint64_t size);
/// What proves that leaf `index` is one of the first `size`. Empty for an index that is not.
std::vector<Digest> merkle_inclusion_path(const MerkleNodes& nodes, std::uint64_t index, std::uint64_t size);
/// What proves that the first `from` leaves begin the first `to`. Empty when from is 0 or not below `to`.
std::vector<Digest> merkle_consistency_proof(const MerkleNodes& nodes, std::uint64_t from, std::uint64_t to);

/// The same of leaves that are all at hand, hashed.
Digest merkle_root(std::span<const Digest> leaf_hashes);
std::vector<Digest> merkle_inclusion_path(std::span<const Digest> leaf_hashes, std::uint64_t index);
std::vector<Digest> merkle_consistency_proof(std::span<const Digest> leaf_hashes, std::uint64_t from);

/// The root that a path leads to; empty for a path that fits no such index and size. Takes anything.
std::optional<Digest> merkle_root_of_path(const Digest& leaf_hash, std::uint64_t index, std::uint64_t size,
                                          std::span<const Digest> path);
/// True only when the path leads from the leaf to the root.
bool merkle_is_included(const Digest& leaf_hash, std::uint64_t index, std::uint64_t size, std::span<const Digest> path,
                        const Digest& root);
/// True only when the tree of `from` leaves begins the one of `to`. Every tree begins with the empty one, and with
/// itself: for these the proof has to be empty.
bool merkle_is_consistent(std::uint64_t from, const Digest& from_root, std::uint64_t to, const Digest& to_root,
                          std::span<const Digest> proof);

/// A tree that grows at its end and remembers one hash for each bit of its size.
class MerkleFrontier {
 public:
  /// Of no leaf.
  MerkleFrontier() = default;
  /// Of the first `size` leaves.
  MerkleFrontier(const MerkleNodes& nodes, std::uint64_t size);

  /// `made` receives every node that the leaf completes, itself first.
  void append(const Digest& leaf_hash, const std::function<void(const MerkleNode&, const Digest&)>& made = {});
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] Digest root() const;

 private:
  std::vector<Digest> peaks_;  ///< of the full trees that the size's bits stand for, the largest first
  std::uint64_t size_ = 0;
};

}  // namespace gpuassay
