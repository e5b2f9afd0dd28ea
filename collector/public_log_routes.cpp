#include "collector/public_log_routes.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "collector/query_string.h"
#include "core/error.h"

namespace gpuassay {
namespace {

/// Beyond it a number is not exact in every reader of JSON.
constexpr std::int64_t kMostLeaves = std::int64_t{1} << 53U;
constexpr std::int64_t kMostLeavesOfPage = 1'000;
constexpr std::int64_t kMostCheckpointsOfPage = 500;
constexpr std::int64_t kUsualCheckpoints = 100;

HttpReply log_reply(const nlohmann::json& document) { return {200, "application/json", document.dump(), {}, {}}; }

nlohmann::json in_hex(const std::vector<Digest>& digests) {
  nlohmann::json texts = nlohmann::json::array();
  for (const Digest& digest : digests) texts.push_back(hex(digest));
  return texts;
}

std::uint64_t needed(const QueryString& query, std::string_view name) {
  const auto value = query.integer(name, 0, kMostLeaves);
  if (!value) throw Error(ErrorCode::usage, fmt::format("the parameter {} is needed", name));
  return static_cast<std::uint64_t>(*value);
}

HttpReply no_such_tree(std::uint64_t asked, std::uint64_t size) {
  return problem_reply(404, "Not found", fmt::format("The log has {} leaves and not yet {}.", size, asked));
}

}  // namespace

HttpReply PublicLogRoutes::checkpoint(const HttpRequest& request) const {
  const QueryString query(request.query, {});
  return {200, "application/json", log_.checkpoint(), {}, {}};
}

HttpReply PublicLogRoutes::checkpoints(const HttpRequest& request) const {
  const QueryString query(request.query, {"after", "limit"});
  const std::int64_t after = query.integer("after", 0, kMostLeaves).value_or(0);
  const auto limit =
      static_cast<std::size_t>(query.integer("limit", 1, kMostCheckpointsOfPage).value_or(kUsualCheckpoints));
  const CheckpointPage page = log_.checkpoints(after, limit);
  // The signed texts as they are, byte for byte.
  return {200,
          "application/json",
          fmt::format("{{\"checkpoints\":[{}],\"next\":{}}}", fmt::join(page.checkpoints, ","), page.next),
          {},
          {}};
}

HttpReply PublicLogRoutes::inclusion(const HttpRequest& request) const {
  const QueryString query(request.query, {"run_id", "size"});
  const auto run_id = query.text("run_id");
  if (!run_id) throw Error(ErrorCode::usage, "the parameter run_id is needed");
  const std::uint64_t size = needed(query, "size");
  const auto entry = log_.find(*run_id);
  if (!entry || !entry->salt) return no_leaf(*run_id, entry);
  if (const std::uint64_t now = log_.size(); size > now) return no_such_tree(size, now);
  if (!entry->leaf_index || static_cast<std::uint64_t>(*entry->leaf_index) >= size)
    return problem_reply(404, "Not found", "The run is not among so many leaves; ask for a newer checkpoint's size.");
  const auto index = static_cast<std::uint64_t>(*entry->leaf_index);
  return log_reply({{"run_id", *run_id},
                    {"leaf_index", index},
                    {"tree_size", size},
                    {"salt", hex(std::string_view(*entry->salt))},
                    {"leaf_hash", hex(entry->leaf_hash)},
                    {"path", in_hex(log_.inclusion_path(index, size))}});
}

HttpReply PublicLogRoutes::no_leaf(const std::string& run_id, const std::optional<LogEntry>& entry) const {
  const auto known = store_.find(run_id);
  if (!known) return problem_reply(404, "Not found", "No run is stored under this run_id.");
  if (!known->retracted_at_ms)
    return problem_reply(404, "Not found", "The run is not in the log yet; ask again in a moment.");
  HttpReply reply = problem_reply(410, "This run was retracted",
                                  "Its leaf stays in the log, and the salt that would show whose it is was deleted.");
  if (entry && entry->leaf_index) {
    nlohmann::json problem = nlohmann::json::parse(reply.body);
    problem["leaf_index"] = *entry->leaf_index;
    reply.body = problem.dump();
  }
  return reply;
}

HttpReply PublicLogRoutes::consistency(const HttpRequest& request) const {
  const QueryString query(request.query, {"from", "to"});
  const std::uint64_t from = needed(query, "from");
  const std::uint64_t to = needed(query, "to");
  if (from > to) return problem_reply(404, "Not found", "The parameter from is above to, and a log only grows.");
  if (const std::uint64_t now = log_.size(); to > now) return no_such_tree(to, now);
  return log_reply({{"from", from}, {"to", to}, {"proof", in_hex(log_.consistency_proof(from, to))}});
}

HttpReply PublicLogRoutes::leaves(const HttpRequest& request) const {
  const QueryString query(request.query, {"from", "limit"});
  const auto from = static_cast<std::uint64_t>(query.integer("from", 0, kMostLeaves).value_or(0));
  const auto limit = static_cast<std::size_t>(query.integer("limit", 1, kMostLeavesOfPage).value_or(kMostLeavesOfPage));
  return log_reply({{"from", from}, {"leaves", in_hex(log_.leaves(from, limit))}});
}

}  // namespace gpuassay
