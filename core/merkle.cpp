#include "core/merkle.h"

#include <sodium.h>

#include <algorithm>
#include <bit>

#include "core/signature.h"

namespace gpuassay {
namespace {

static_assert(std::tuple_size_v<Digest> == crypto_hash_sha256_BYTES);

Digest sha256_after(unsigned char prefix, const unsigned char* bytes, std::size_t length) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  crypto_hash_sha256_update(&state, &prefix, 1);
  crypto_hash_sha256_update(&state, bytes, length);
  Digest digest{};
  crypto_hash_sha256_final(&state, digest.data());
  return digest;
}

Digest sha256_of_nothing() {
  Digest digest{};
  crypto_hash_sha256(digest.data(), nullptr, 0);
  return digest;
}

/// RFC 9162 section 2.1.1: the largest power of two below `count`, which is at least 2.
std::uint64_t left_part(std::uint64_t count) { return std::bit_floor(count - 1); }

/// The root of `count` leaves from `begin` on, one or more; `begin` is a multiple of the power of two that holds them.
Digest root_of_range(const MerkleNodes& nodes, std::uint64_t begin, std::uint64_t count) {
  if (std::has_single_bit(count)) {
    const auto level = static_cast<unsigned>(std::countr_zero(count));
    return nodes({level, begin >> level});
  }
  const std::uint64_t left = left_part(count);
  const Digest left_root = root_of_range(nodes, begin, left);
  return merkle_node_hash(left_root, root_of_range(nodes, begin + left, count - left));
}

MerkleNodes nodes_of(std::span<const Digest> leaf_hashes) {
  return [leaf_hashes](const MerkleNode& wanted) {
    const std::uint64_t count = std::uint64_t{1} << wanted.level;
    const auto leaves = leaf_hashes.subspan(wanted.index * count, count);
    std::vector<Digest> row(leaves.begin(), leaves.end());
    for (; row.size() > 1; row.resize(row.size() / 2)) {
      for (std::size_t pair = 0; pair < row.size() / 2; ++pair)
        row[pair] = merkle_node_hash(row[2 * pair], row[2 * pair + 1]);
    }
    return row.front();
  };
}

}  // namespace

std::string hex(const Digest& digest) {
  return hex(std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

std::optional<Digest> digest_from_hex(std::string_view text) {
  Digest digest{};
  const bool is_lower_case = std::all_of(text.begin(), text.end(), [](char c) { return c < 'A' || c > 'F'; });
  std::size_t length = 0;
  if (!is_lower_case || text.size() != 2 * digest.size() ||
      sodium_hex2bin(digest.data(), digest.size(), text.data(), text.size(), nullptr, &length, nullptr) != 0 ||
      length != digest.size())
    return std::nullopt;
  return digest;
}

Digest merkle_leaf_hash(std::string_view data) {
  return sha256_after(0, reinterpret_cast<const unsigned char*>(data.data()), data.size());
}

Digest merkle_node_hash(const Digest& left, const Digest& right) {
  std::array<unsigned char, 2 * std::tuple_size_v<Digest>> both{};
  std::copy(left.begin(), left.end(), both.begin());
  std::copy(right.begin(), right.end(), both.begin() + left.size());
  return sha256_after(1, both.data(), both.size());
}

Digest merkle_root(const MerkleNodes& nodes, std::uint64_t size) {
  return size == 0 ? sha256_of_nothing() : root_of_range(nodes, 0, size);
}

// RFC 9162 section 2.1.3.1, from the root down; the path is listed from the leaf up.
std::vector<Digest> merkle_inclusion_path(const MerkleNodes& nodes, std::uint64_t index, std::uint64_t size) {
  std::vector<Digest> path;
  if (index >= size) return path;
  std::uint64_t begin = 0;
  for (std::uint64_t count = size; count > 1;) {
    const std::uint64_t left = left_part(count);
    const bool is_left = index - begin < left;
    path.push_back(is_left ? root_of_range(nodes, begin + left, count - left) : root_of_range(nodes, begin, left));
    if (!is_left) begin += left;
    count = is_left ? left : count - left;
  }
  std::reverse(path.begin(), path.end());
  return path;
}

// RFC 9162 section 2.1.4.1: down to where the old tree's last leaves are a tree of their own. Its hash is left out when
// it is the old root, which the reader knows.
std::vector<Digest> merkle_consistency_proof(const MerkleNodes& nodes, std::uint64_t from, std::uint64_t to) {
  std::vector<Digest> proof;
  if (from == 0 || from >= to) return proof;
  std::uint64_t begin = 0;
  std::uint64_t count = to;
  while (from - begin < count) {
    const std::uint64_t left = left_part(count);
    const bool is_left = from - begin <= left;
    proof.push_back(is_left ? root_of_range(nodes, begin + left, count - left) : root_of_range(nodes, begin, left));
    if (!is_left) begin += left;
    count = is_left ? left : count - left;
  }
  if (begin != 0) proof.push_back(root_of_range(nodes, begin, count));
  std::reverse(proof.begin(), proof.end());
  return proof;
}

Digest merkle_root(std::span<const Digest> leaf_hashes) {
  return merkle_root(nodes_of(leaf_hashes), leaf_hashes.size());
}

std::vector<Digest> merkle_inclusion_path(std::span<const Digest> leaf_hashes, std::uint64_t index) {
  return merkle_inclusion_path(nodes_of(leaf_hashes), index, leaf_hashes.size());
}

std::vector<Digest> merkle_consistency_proof(std::span<const Digest> leaf_hashes, std::uint64_t from) {
  return merkle_consistency_proof(nodes_of(leaf_hashes), from, leaf_hashes.size());
}

// RFC 9162 section 2.1.3.2.
std::optional<Digest> merkle_root_of_path(const Digest& leaf_hash, std::uint64_t index, std::uint64_t size,
                                          std::span<const Digest> path) {
  if (index >= size) return std::nullopt;
  Digest root = leaf_hash;
  std::uint64_t last = size - 1;
  for (const Digest& other : path) {
    if (last == 0) return std::nullopt;
    if (index % 2 == 1 || index == last) {
      root = merkle_node_hash(other, root);
      for (; index % 2 == 0 && index != 0; index /= 2) last /= 2;
    } else {
      root = merkle_node_hash(root, other);
    }
    index /= 2;
    last /= 2;
  }
  if (last != 0) return std::nullopt;
  return root;
}

bool merkle_is_included(const Digest& leaf_hash, std::uint64_t index, std::uint64_t size, std::span<const Digest> path,
                        const Digest& root) {
  return merkle_root_of_path(leaf_hash, index, size, path) == root;
}

// RFC 9162 section 2.1.4.2.
bool merkle_is_consistent(std::uint64_t from, const Digest& from_root, std::uint64_t to, const Digest& to_root,
                          std::span<const Digest> proof) {
  if (from > to) return false;
  if (from == to) return proof.empty() && from_root == to_root;
  if (from == 0) return proof.empty() && from_root == sha256_of_nothing();
  // The first hash is of the old tree's last full part: the old root itself when it is one.
  const bool is_full_tree = std::has_single_bit(from);
  if (!is_full_tree && proof.empty()) return false;
  Digest old_root = is_full_tree ? from_root : proof.front();
  Digest new_root = old_root;
  const int levels = std::countr_one(from - 1);
  std::uint64_t index = (from - 1) >> levels;
  std::uint64_t last = (to - 1) >> levels;
  for (const Digest& other : proof.subspan(is_full_tree ? 0 : 1)) {
    if (last == 0) return false;
    if (index % 2 == 1 || index == last) {
      old_root = merkle_node_hash(other, old_root);
      new_root = merkle_node_hash(other, new_root);
      for (; index % 2 == 0 && index != 0; index /= 2) last /= 2;
    } else {
      new_root = merkle_node_hash(new_root, other);
    }
    index /= 2;
    last /= 2;
  }
  return last == 0 && old_root == from_root && new_root == to_root;
}

MerkleFrontier::MerkleFrontier(const MerkleNodes& nodes, std::uint64_t size) : size_(size) {
  peaks_.reserve(static_cast<std::size_t>(std::popcount(size)));
  std::uint64_t begin = 0;
  while (begin < size) {
    const auto level = static_cast<unsigned>(std::bit_width(size - begin) - 1);
    peaks_.push_back(nodes({level, begin >> level}));
    begin += std::uint64_t{1} << level;
  }
}

void MerkleFrontier::append(const Digest& leaf_hash,
                            const std::function<void(const MerkleNode&, const Digest&)>& made) {
  Digest hash = leaf_hash;
  MerkleNode node{0, size_};
  if (made) made(node, hash);
  // Every full tree of the same size on the left becomes one with the new one.
  for (; node.index % 2 == 1; node = {node.level + 1, node.index / 2}) {
    hash = merkle_node_hash(peaks_.back(), hash);
    peaks_.pop_back();
    if (made) made({node.level + 1, node.index / 2}, hash);
  }
  peaks_.push_back(hash);
  ++size_;
}

Digest MerkleFrontier::root() const {
  if (peaks_.empty()) return sha256_of_nothing();
  Digest root = peaks_.back();
  for (std::size_t peak = peaks_.size() - 1; peak > 0; --peak) root = merkle_node_hash(peaks_[peak - 1], root);
  return root;
}

}  // namespace gpuassay
