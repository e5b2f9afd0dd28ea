#include "collector/public_log_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "collector/log_entry.h"
#include "core/receipt.h"

namespace gpuassay {
namespace {

using Say = std::function<void(std::string_view)>;

/// What the checkpoints say, by size.
using SignedRoots = std::multimap<std::uint64_t, std::pair<std::int64_t, Digest>>;

class LogCheck {
 public:
  LogCheck(Database& database, const std::vector<PublicKey>& keys, const Say& say)
      : database_(database), keys_(keys), say_(say) {}

  LogReport run() {
    read_checkpoints();
    compare_roots();  // of the empty tree
    Statement query(database_,
                    "SELECT log_node.level, log_node.node_index, log_node.hash, log_entry.run_id, log_entry.leaf_hash "
                    "FROM log_node LEFT JOIN log_entry ON log_node.level = 0 AND log_entry.leaf_index = "
                    "log_node.node_index ORDER BY (log_node.node_index + 1) << log_node.level, log_node.level");
    while (is_whole_ && query.step()) check_row(query);
    if (is_whole_ && !expected_.empty()) stop_at("a node of the log is missing");
    report_.leaves = static_cast<std::size_t>(tree_.size());
    if (is_whole_) check_ends();
    return report_;
  }

 private:
  void differs(const std::string& what) {
    say_("log: " + what);
    ++report_.differing;
  }
  /// Nothing after it could be compared with anything.
  void stop_at(const std::string& what) {
    differs(what + "; what comes after it was not checked");
    is_whole_ = false;
  }

  void read_checkpoints() {
    Statement query(database_,
                    "SELECT checkpoint_id, tree_size, checkpoint FROM log_checkpoint ORDER BY checkpoint_id");
    while (query.step()) {
      ++report_.checkpoints;
      const std::int64_t number = query.integer(0);
      std::string problem;
      const auto checkpoint = verified_checkpoint(query.text(2), problem);
      if (!checkpoint) {
        differs(fmt::format("checkpoint {}: {}", number, problem));
      } else if (std::find(keys_.begin(), keys_.end(), checkpoint->collector_key) == keys_.end()) {
        differs(fmt::format("checkpoint {} is signed by a key that is not this collector's (--former-key names others)",
                            number));
      } else {
        signed_.emplace(checkpoint->tree_size, std::pair(number, checkpoint->root_hash));
      }
    }
  }

  /// Rows come leaf by leaf, each followed by the nodes that it completes.
  void check_row(const Statement& row) {
    const MerkleNode node{static_cast<unsigned>(row.integer(0)), static_cast<std::uint64_t>(row.integer(1))};
    const std::string hash = row.text(2);
    if (expected_.empty()) {
      if (node != MerkleNode{0, tree_.size()}) return stop_at(fmt::format("leaf {} is missing", tree_.size()));
      if (hash.size() != std::tuple_size_v<Digest>) return stop_at(fmt::format("leaf {} is no hash", tree_.size()));
      check_leaf(row, hash);
      tree_.append(digest_of(hash), [this](const MerkleNode& made, const Digest& made_hash) {
        expected_.emplace_back(made, std::string(digest_bytes(made_hash)));
      });
      std::reverse(expected_.begin(), expected_.end());
    }
    const auto [wanted, wanted_hash] = expected_.back();
    expected_.pop_back();
    if (wanted != node) return stop_at(fmt::format("node {} of level {} is missing", wanted.index, wanted.level));
    if (wanted_hash != hash)
      differs(fmt::format("node {} of level {} does not follow from its leaves", node.index, node.level));
    if (expected_.empty()) compare_roots();
  }

  void check_leaf(const Statement& row, const std::string& hash) {
    if (row.is_null(3))
      differs(fmt::format("leaf {} belongs to no run", tree_.size()));
    else if (row.text(4) != hash)
      differs(fmt::format("leaf {} is not that of run {}", tree_.size(), row.text(3)));
  }

  void compare_roots() {
    const auto [first, last] = signed_.equal_range(tree_.size());
    if (first == last) return;
    const Digest root = tree_.root();
    for (auto checkpoint = first; checkpoint != last; ++checkpoint)
      if (checkpoint->second.second != root)
        differs(fmt::format("checkpoint {} has another root than the first {} leaves: history was rewritten",
                            checkpoint->second.first, tree_.size()));
  }

  void check_ends() {
    for (auto later = signed_.upper_bound(tree_.size()); later != signed_.end(); ++later)
      differs(fmt::format("checkpoint {} has {} leaves, and the log has {}", later->second.first, later->first,
                          tree_.size()));
    Statement query(database_, "SELECT COUNT(*) FROM log_entry WHERE leaf_index >= ?");
    query.bind(1, static_cast<std::int64_t>(tree_.size())).step();
    if (query.integer(0) > 0) differs(fmt::format("{} runs have places after the last leaf", query.integer(0)));
  }

  Database& database_;
  const std::vector<PublicKey>& keys_;
  const Say& say_;
  LogReport report_;
  SignedRoots signed_;
  MerkleFrontier tree_;
  std::vector<std::pair<MerkleNode, std::string>> expected_;  ///< the last one first
  bool is_whole_ = true;
};

}  // namespace

LogReport check_public_log(Database& database, const std::vector<PublicKey>& collector_keys,
                           const std::function<void(std::string_view)>& say) {
  return LogCheck(database, collector_keys, say).run();
}

}  // namespace gpuassay
