// A rank other than 0.
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "agent/case_runner.h"
#include "agent/exit_code.h"
#include "agent/group/group_run.h"
#include "agent/plan.h"
#include "agent/plan_collective.h"
#include "agent/report.h"
#include "agent/worker.h"
#include "core/enums.h"
#include "core/error.h"
#include "core/result_json.h"

namespace gpuassay {
namespace {

/// Rank 0 ends at its own limit; one that is slower by this is gone.
constexpr double kBeyondBudgetS = 60;

class Follower {
 public:
  Follower(const Launch& launch, const Machine& machine, LineSocket line, double deadline_s, Progress& progress)
      : launch_(launch),
        machine_(machine),
        line_(std::move(line)),
        deadline_s_(deadline_s),
        progress_(progress),
        id_line_(make_id_line()) {}

  int run() {
    while (monotonic_s() < deadline_s_) {
      std::vector<pollfd> fds{{line_.fd(), POLLIN, 0}, {worker_ && measuring_ ? worker_->fd() : -1, POLLIN, 0}};
      constexpr double kLongestS = 60;
      const double left_s = std::clamp(deadline_s_ - monotonic_s(), 0.0, kLongestS);
      ::poll(fds.data(), fds.size(), static_cast<int>(left_s * 1000) + 1);
      if (fds[1].revents != 0) answer();
      while (const auto message = line_.receive()) {
        if (const auto exit_code = obey(*message)) return *exit_code;
      }
      if (line_.is_gone()) {
        progress_.warn(fmt::format("rank {}: rank 0 is gone", launch_.rank));
        return kExitPartial;
      }
    }
    progress_.warn(fmt::format("rank {}: rank 0 did not end the run in time", launch_.rank));
    return kExitPartial;
  }

 private:
  /// The exit code when that was the end. Whatever else it says that cannot be understood is the end of the line.
  std::optional<int> obey(const nlohmann::json& message) {
    try {
      if (message.contains("refused")) {
        progress_.warn(printable(message.at("refused").get<std::string>()));
        return kExitUsage;
      }
      if (message.contains("exit")) {
        const int code = std::clamp(message.at("exit").get<int>(), 0, 255);
        progress_.say(fmt::format("rank {} of {}: the result is with rank 0", launch_.rank, launch_.ranks));
        return code;
      }
      if (message.contains("least_free_bytes")) begin(message);
      if (message.contains("measure")) measure(message);
    } catch (const std::exception&) {
      line_.close();
    }
    return std::nullopt;
  }

  void begin(const nlohmann::json& message) {
    if (machine_.problem || worker_) return;
    const auto profile = from_name<Profile>(message.at("profile").get<std::string>()).value_or(Profile::quick);
    cases_ = own_cases(machine_, profile);
    for (Case& planned : collective_cases(launch_.ranks, message.at("least_free_bytes").get<std::int64_t>(), profile))
      cases_.push_back(std::move(planned));
    const GroupMaker join = [this] {
      return join_group(group_members(machine_).front(), launch_, id_line_.child.get());
    };
    worker_.emplace(case_runner_maker(cases_, machine_, {}, deadline_s_, join), id_line_.child.get());
  }

  void measure(const nlohmann::json& message) {
    index_ = message.at("measure").get<std::size_t>();
    if (!worker_ || measuring_ || index_ >= cases_.size()) return line_.close();
    if (message.contains("id")) {
      const auto id = id_from_hex(message.at("id").get<std::string>());
      if (!id || !write_group_id(id_line_.parent.get(), *id)) return line_.close();
    }
    measuring_ = worker_->request(index_);
    if (!measuring_) lose_worker();
  }

  void answer() {
    measuring_ = false;
    try {
      const auto answer = worker_->receive();
      if (!answer) return lose_worker();
      line_.send({{"measured", index_}, {"measurement", to_json(answer->measurement)}});
    } catch (const Error& error) {
      tell_failure(fmt::format("{}: {}", name_of(error.code()), error.what()));
    }
  }

  void lose_worker() { tell_failure("worker_died: its measuring process ended: " + worker_->end()); }

  void tell_failure(const std::string& reason) {
    line_.send(
        {{"measured", index_}, {"measurement", to_json(not_measured(cases_[index_], CaseStatus::failed, reason))}});
  }

  const Launch& launch_;
  const Machine& machine_;
  LineSocket line_;
  double deadline_s_;
  Progress& progress_;
  IdLine id_line_;
  std::vector<Case> cases_;
  std::optional<Worker> worker_;
  std::size_t index_ = 0;
  bool measuring_ = false;
};

}  // namespace

int follow(const RunOptions& options, const Environment& environment, const Launch& launch) {
  Progress progress(stderr, environment.err_style, environment.verbosity);
  const double budget_s = options.max_seconds.value_or(rules_of(options.profile).wall_s);
  const double deadline_s = monotonic_s() + budget_s + kBeyondBudgetS;
  Machine machine = look_at_machine(environment, {DeviceChoice::Kind::automatic, {}}, budget_s);
  keep_own_device(machine, launch);
  if (machine.problem) progress.warn(fmt::format("rank {}: {}", launch.rank, *machine.problem));
  try {
    const auto patience = std::chrono::duration_cast<std::chrono::steady_clock::duration>(
        std::chrono::duration<double>(budget_s + kBeyondBudgetS));
    const SteadyTime until = std::chrono::steady_clock::now() + patience;
    LineSocket line(connect_to(launch.host, launch.port, until));
    nlohmann::json hello = to_json(hello_of(launch, machine, environment));
    if (!launch.token.empty()) hello = proven_hello(line, launch.token, std::move(hello), until);
    line.send(hello);
    return Follower(launch, machine, std::move(line), deadline_s, progress).run();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::network) throw;
    progress.warn(fmt::format("rank {}: {}", launch.rank, error.what()));
    return kExitPartial;
  }
}

}  // namespace gpuassay
