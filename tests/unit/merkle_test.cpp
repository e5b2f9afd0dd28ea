#include "core/merkle.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>

namespace gpuassay {
namespace {

// The entries, roots and proofs that the implementations of RFC 6962 test themselves with (its reference code, 2012).
const std::vector<std::string> kEntries{std::string(),
                                        std::string("\x00", 1),
                                        "\x10",
                                        "\x20\x21",
                                        "\x30\x31",
                                        "\x40\x41\x42\x43",
                                        "\x50\x51\x52\x53\x54\x55\x56\x57",
                                        "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"};
const std::vector<std::string> kRoots{"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                                      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                      "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                      "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                      "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                      "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                      "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                      "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

std::vector<Digest> published_leaves(std::size_t size) {
  std::vector<Digest> leaves;
  leaves.reserve(size);
  for (std::size_t i = 0; i < size; ++i) leaves.push_back(merkle_leaf_hash(kEntries.at(i)));
  return leaves;
}

std::vector<std::string> in_hex(const std::vector<Digest>& digests) {
  std::vector<std::string> texts;
  texts.reserve(digests.size());
  for (const Digest& digest : digests) texts.push_back(hex(digest));
  return texts;
}

std::vector<Digest> numbered_leaves(std::size_t size) {
  std::vector<Digest> leaves;
  leaves.reserve(size);
  for (std::size_t i = 0; i < size; ++i) leaves.push_back(merkle_leaf_hash("leaf " + std::to_string(i)));
  return leaves;
}

/// The definition itself, RFC 6962 section 2.1.
Digest root_by_definition(std::span<const Digest> leaves) {
  if (leaves.size() == 1) return leaves.front();
  std::size_t left = 1;
  while (left * 2 < leaves.size()) left *= 2;
  return merkle_node_hash(root_by_definition(leaves.first(left)), root_by_definition(leaves.subspan(left)));
}

constexpr std::size_t kLargest = 33;  // beyond a power of two

TEST(Merkle, PublishedRoots) {
  for (std::size_t size = 0; size <= kEntries.size(); ++size)
    EXPECT_EQ(hex(merkle_root(published_leaves(size))), kRoots[size]) << size;
}

TEST(Merkle, PublishedInclusionPaths) {
  EXPECT_EQ(in_hex(merkle_inclusion_path(published_leaves(8), 0)),
            (std::vector<std::string>{"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                                      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}));
  EXPECT_EQ(in_hex(merkle_inclusion_path(published_leaves(8), 5)),
            (std::vector<std::string>{"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                                      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                                      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}));
  EXPECT_EQ(in_hex(merkle_inclusion_path(published_leaves(3), 2)),
            (std::vector<std::string>{"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}));
}

TEST(Merkle, PublishedConsistencyProofs) {
  EXPECT_EQ(in_hex(merkle_consistency_proof(published_leaves(8), 1)),
            (std::vector<std::string>{"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                                      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}));
  EXPECT_EQ(in_hex(merkle_consistency_proof(published_leaves(8), 6)),
            (std::vector<std::string>{"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                                      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                                      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}));
  EXPECT_EQ(in_hex(merkle_consistency_proof(published_leaves(5), 2)),
            (std::vector<std::string>{"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}));
}

TEST(Merkle, EveryLeafOfEverySmallTreeIsIncludedOnceOnly) {
  for (std::size_t size = 1; size <= kLargest; ++size) {
    const auto leaves = numbered_leaves(size);
    const Digest root = merkle_root(leaves);
    EXPECT_EQ(root, root_by_definition(leaves));
    for (std::size_t index = 0; index < size; ++index) {
      const auto path = merkle_inclusion_path(leaves, index);
      for (std::size_t claimed = 0; claimed <= size; ++claimed)
        EXPECT_EQ(merkle_is_included(leaves[index], claimed, size, path, root), claimed == index)
            << index << " of " << size << " as " << claimed;
    }
  }
}

TEST(Merkle, EverySmallTreeBeginsEveryLargerOneOfItsLeaves) {
  const auto leaves = numbered_leaves(kLargest);
  for (std::size_t to = 0; to <= kLargest; ++to) {
    const auto new_leaves = std::span(leaves).first(to);
    for (std::size_t from = 0; from <= to; ++from) {
      const auto proof = merkle_consistency_proof(new_leaves, from);
      const Digest old_root = merkle_root(new_leaves.first(from));
      const Digest new_root = merkle_root(new_leaves);
      EXPECT_TRUE(merkle_is_consistent(from, old_root, to, new_root, proof)) << from << " of " << to;
      EXPECT_FALSE(merkle_is_consistent(from, merkle_leaf_hash("other"), to, new_root, proof));
      EXPECT_FALSE(merkle_is_consistent(from, old_root, to, merkle_leaf_hash("other"), proof) && from != 0);
    }
  }
}

TEST(Merkle, ARewrittenLeafIsInconsistentWithEveryTreeThatHadIt) {
  const auto leaves = numbered_leaves(kLargest);
  for (std::size_t changed = 0; changed < kLargest; ++changed) {
    auto rewritten = leaves;
    rewritten[changed] = merkle_leaf_hash("rewritten");
    for (std::size_t from = changed + 1; from < kLargest; ++from)
      EXPECT_FALSE(merkle_is_consistent(from, merkle_root(std::span(leaves).first(from)), kLargest,
                                        merkle_root(rewritten), merkle_consistency_proof(rewritten, from)))
          << changed << " from " << from;
  }
}

TEST(Merkle, ProofsOfWrongLengthOrContentFailAndNeverCrash) {
  const auto leaves = numbered_leaves(21);
  const Digest root = merkle_root(leaves);
  const Digest old_root = merkle_root(std::span(leaves).first(13));
  const auto path = merkle_inclusion_path(leaves, 11);
  const auto proof = merkle_consistency_proof(leaves, 13);
  for (std::size_t length = 0; length < path.size() + 70; ++length) {
    auto other = path;
    other.resize(length);
    EXPECT_EQ(merkle_is_included(leaves[11], 11, 21, other, root), length == path.size()) << length;
    other = proof;
    other.resize(length);
    EXPECT_EQ(merkle_is_consistent(13, old_root, 21, root, other), length == proof.size()) << length;
  }
  for (std::size_t place = 0; place < path.size(); ++place) {
    auto other = path;
    other[place][31] ^= 1U;
    EXPECT_FALSE(merkle_is_included(leaves[11], 11, 21, other, root)) << place;
  }
  for (std::size_t place = 0; place < proof.size(); ++place) {
    auto other = proof;
    other[place][0] ^= 128U;
    EXPECT_FALSE(merkle_is_consistent(13, old_root, 21, root, other)) << place;
  }
}

TEST(Merkle, HostileSizesFail) {
  constexpr std::uint64_t kMost = ~std::uint64_t{0};
  const Digest leaf = merkle_leaf_hash("a");
  const std::vector<Digest> longest(64, leaf);
  EXPECT_EQ(merkle_root_of_path(leaf, 0, 0, {}), std::nullopt);
  EXPECT_EQ(merkle_root_of_path(leaf, 5, 3, longest), std::nullopt);
  EXPECT_EQ(merkle_root_of_path(leaf, kMost, kMost, longest), std::nullopt);
  EXPECT_EQ(merkle_root_of_path(leaf, kMost - 1, kMost, {}), std::nullopt);
  EXPECT_FALSE(merkle_is_consistent(kMost, leaf, 3, leaf, {}));
  EXPECT_FALSE(merkle_is_consistent(kMost - 1, leaf, kMost, leaf, longest));
  EXPECT_FALSE(merkle_is_consistent(1, leaf, kMost, leaf, {}));
  EXPECT_FALSE(merkle_is_consistent(0, leaf, 3, leaf, {}));
  EXPECT_FALSE(merkle_is_consistent(3, leaf, 3, leaf, longest));
  EXPECT_TRUE(merkle_inclusion_path(numbered_leaves(3), 3).empty());
  EXPECT_TRUE(merkle_consistency_proof(numbered_leaves(3), 4).empty());
}

TEST(Merkle, TheFrontierHasTheRootAndMakesEveryNode) {
  const auto leaves = numbered_leaves(kLargest);
  std::map<std::pair<unsigned, std::uint64_t>, Digest> made;
  const MerkleNodes nodes = [&](const MerkleNode& node) { return made.at({node.level, node.index}); };
  MerkleFrontier frontier;
  for (std::size_t size = 0;; ++size) {
    const auto first = std::span(leaves).first(size);
    EXPECT_EQ(frontier.size(), size);
    EXPECT_EQ(frontier.root(), merkle_root(first));
    EXPECT_EQ(MerkleFrontier(nodes, size).root(), merkle_root(first));
    EXPECT_EQ(merkle_root(nodes, size), merkle_root(first));
    for (std::size_t index = 0; index < size; ++index)
      EXPECT_EQ(merkle_inclusion_path(nodes, index, size), merkle_inclusion_path(first, index));
    for (std::size_t from = 0; from <= size; ++from)
      EXPECT_EQ(merkle_consistency_proof(nodes, from, size), merkle_consistency_proof(first, from));
    if (size == kLargest) break;
    // Restored in between, as a program that starts again does.
    frontier = MerkleFrontier(nodes, size);
    frontier.append(leaves[size], [&](const MerkleNode& node, const Digest& hash) {
      EXPECT_TRUE((made.emplace(std::pair(node.level, node.index), hash).second));
    });
  }
  EXPECT_EQ(made.size(), 2 * kLargest - 2);  // 33 leaves below two peaks, of 32 and of 1
}

TEST(Merkle, DigestsInHexAreStrict) {
  const std::string& text = kRoots[1];
  ASSERT_TRUE(digest_from_hex(text));
  EXPECT_EQ(hex(*digest_from_hex(text)), text);
  for (const std::string& wrong :
       {std::string(), text.substr(1), text + "00", text.substr(2) + "0x", "6E" + text.substr(2), " " + text.substr(1)})
    EXPECT_EQ(digest_from_hex(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace gpuassay
