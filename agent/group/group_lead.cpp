#include "agent/group/group_lead.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <list>
#include <nlohmann/json.hpp>

#include "agent/plan_collective.h"
#include "core/enums.h"
#include "core/error.h"

namespace gpuassay {
namespace {

using Clock = std::chrono::steady_clock;

/// Who connects says at once who it is; so many may be about to.
constexpr std::chrono::seconds kStrangerLimit{5};
constexpr std::size_t kMostStrangers = 64;

int milliseconds_until(SteadyTime deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left + 1, 0, 500));
}

}  // namespace

GroupLead::GroupLead(const Launch& launch) : launch_(launch), listener_(listen_at(launch.host, launch.port)) {
  ranks_.resize(static_cast<std::size_t>(launch.ranks));
}

bool GroupLead::all_are_there() const {
  return std::all_of(ranks_.begin(), ranks_.end(), [](const Rank& rank) { return rank.hello.has_value(); });
}

void GroupLead::refuse(LineSocket& line, const std::string& reason) {
  line.send({{"refused", reason}});
  line.close();
}

/// Whether the message is to be listened to.
bool GroupLead::has_token(Stranger& stranger, const nlohmann::json& message, const Warn& warn) {
  const std::string& token = launch_.token;
  std::string why;
  if (opens_exchange(message)) {
    if (!token.empty()) {
      const auto answer = answer_to_opening(token, message, stranger.token);
      if (answer) stranger.line.send(*answer);
      if (!answer) stranger.line.close();
      return false;  // a hello comes next
    }
    why =
        fmt::format("rank 0 has no {}, the rank that connected has; export the same one to all ranks", kTokenVariable);
  } else if (!token.empty() && !is_proven(token, message, stranger.token)) {
    why = fmt::format("a rank has no {} or another than rank 0; export the same one to all ranks", kTokenVariable);
  }
  if (why.empty()) return true;
  refuse(stranger.line, why);
  if (without_token_++ == 0) warn(why);
  return false;
}

/// Who says something else than a rank of this launch would is not listened to.
void GroupLead::take_stranger(Stranger& stranger, const Warn& warn) {
  const auto message = stranger.line.receive();
  if (!message || !has_token(stranger, *message, warn)) return;
  try {
    take_hello(stranger.line, hello_from_json(*message));
  } catch (const Error&) {
    stranger.line.close();
  }
}

void GroupLead::take_hello(LineSocket& line, Hello hello) {
  const bool ours = hello.job == launch_.job && hello.ranks == launch_.ranks && hello.rank > 0 &&
                    hello.rank < launch_.ranks && !ranks_[static_cast<std::size_t>(hello.rank)].hello;
  if (!ours) return line.close();
  const Hello& own = *ranks_.front().hello;
  if (hello.version != own.version || hello.commit != own.commit) {
    const std::string reason =
        fmt::format("rank {} runs gpuassay {} ({}), rank 0 runs {} ({}); install the same on all", hello.rank,
                    hello.version.substr(0, 32), hello.commit.substr(0, 10), own.version, own.commit.substr(0, 10));
    refuse(line, reason);
    reasons_.push_back({"version_differs", reason, std::nullopt});
    is_refused_ = true;
    return;
  }
  Rank& rank = ranks_[static_cast<std::size_t>(hello.rank)];
  rank.hello = std::move(hello);
  rank.line = std::move(line);
}

void GroupLead::gather(const Hello& own, SteadyTime deadline, double waited_s, const Warn& warn) {
  ranks_.front().hello = own;
  std::list<Stranger> strangers;
  while (!all_are_there() && !is_refused_ && Clock::now() < deadline) {
    std::vector<pollfd> fds{{listener_.get(), POLLIN, 0}};
    for (const Stranger& each : strangers) fds.push_back({each.line.fd(), POLLIN, 0});
    ::poll(fds.data(), fds.size(), milliseconds_until(deadline));
    for (Stranger& each : strangers) {
      if (!is_refused_) take_stranger(each, warn);
    }
    strangers.remove_if(
        [](const Stranger& each) { return each.line.is_gone() || Clock::now() - each.since > kStrangerLimit; });
    while (strangers.size() < kMostStrangers) {
      FileDescriptor socket = accept_from(listener_.get());
      if (!socket) break;
      strangers.push_back({LineSocket(std::move(socket)), Clock::now()});
    }
  }
  listener_.reset();
  explain_gaps(waited_s);
}

void GroupLead::explain_gaps(double waited_s) {
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    const auto& hello = ranks_[i].hello;
    if (!hello) missing.push_back(std::to_string(i));
    if (hello && hello->problem)
      reasons_.push_back({"rank_failed", fmt::format("rank {}: {}", i, *hello->problem).substr(0, 250), std::nullopt});
    if (hello && hello->no_collectives && no_group_.empty())
      no_group_ = fmt::format("unsupported: rank {}: {}", i, *hello->no_collectives);
  }
  if (!missing.empty() && !is_refused_) {
    const std::string refused =
        without_token_ == 0 ? "" : fmt::format("; {} that connected had not its {}", without_token_, kTokenVariable);
    reasons_.push_back({"rank_missing",
                        fmt::format("of {} ranks {} did not come within {:.0f} s{}", ranks_.size(),
                                    fmt::join(missing, ", "), waited_s, refused)
                            .substr(0, 250),
                        std::nullopt});
  }
  if (!reasons_.empty()) no_group_ = fmt::format("{}: {}", reasons_.front().code, reasons_.front().message);
}

std::vector<Case> GroupLead::plan(std::vector<Case> local, Profile profile) {
  profile_ = profile;
  least_free_bytes_ = ranks_.front().hello->free_bytes;
  for (const Rank& rank : ranks_) {
    if (rank.hello && rank.hello->device) least_free_bytes_ = std::min(least_free_bytes_, rank.hello->free_bytes);
  }
  for (Case& planned : collective_cases(launch_.ranks, least_free_bytes_, profile)) {
    planned.optional = false;  // they are what the run is for
    local.push_back(std::move(planned));
  }
  return local;
}

std::vector<Node> GroupLead::nodes() const {
  std::vector<Node> nodes;
  std::vector<std::string> machines;
  for (const Rank& rank : ranks_) {
    if (!rank.hello || !rank.hello->device) continue;
    const auto known = std::find(machines.begin(), machines.end(), rank.hello->machine);
    const auto place = static_cast<std::size_t>(known - machines.begin());
    if (known == machines.end()) {
      machines.push_back(rank.hello->machine);
      nodes.push_back({rank.hello->host, {}});
    }
    nodes[place].ranks.push_back({rank.hello->rank, *rank.hello->device, rank.figures});
  }
  return nodes;
}

void GroupLead::end(int exit_code) {
  for (Rank& rank : ranks_) rank.line.send({{"exit", exit_code}});
}

}  // namespace gpuassay
