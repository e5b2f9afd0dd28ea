// One pass of all ranks over the plan.
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "agent/group/group_id.h"
#include "agent/group/group_lead.h"
#include "agent/measure_case.h"
#include "agent/worker.h"
#include "core/enums.h"
#include "core/error.h"
#include "core/normalize.h"
#include "core/result_json.h"

namespace gpuassay {
namespace {

/// Beyond its sampling a case may take so long; the first collective more: sixteen machines take a minute to find each
/// other.
constexpr double kCaseS = 30, kFirstS = 60;
/// Where one rank failed at once, the others wait for it: they are not waited for.
constexpr double kGraceS = 3;

}  // namespace

class GroupPass {
 public:
  GroupPass(GroupLead& lead, const std::vector<Case>& cases, const std::function<CaseRunner()>& make_runner,
            const IdLine& id_line, const MeasureContext& context)
      : lead_(lead),
        cases_(cases),
        worker_(make_runner, id_line.child.get()),
        id_fd_(id_line.parent.get()),
        context_(context) {
    outcome_.reasons = lead.reasons_;
  }

  MeasureOutcome run() {
    for (std::size_t index = 0; index < cases_.size() && stopped_.empty(); ++index) {
      context_.on_start(cases_[index], index);
      if (!cases_[index].device && !lead_.no_group_.empty()) {
        finish(not_measured(cases_[index], CaseStatus::skipped, lead_.no_group_));
      } else {
        one_case(index);
      }
    }
    while (outcome_.measurements.size() < cases_.size())
      outcome_.measurements.push_back(
          not_measured(cases_[outcome_.measurements.size()], CaseStatus::skipped, stopped_));
    return std::move(outcome_);
  }

 private:
  using Answers = std::vector<std::optional<Measurement>>;

  void finish(Measurement measurement) {
    context_.on_finished(measurement);
    outcome_.measurements.push_back(std::move(measurement));
  }

  [[nodiscard]] bool takes_part(std::size_t rank) const {
    const auto& each = lead_.ranks_[rank];
    return rank == 0 || (!each.line.is_gone() && each.hello && each.hello->device);
  }

  void ask(std::size_t index, const std::optional<std::string>& id) {
    nlohmann::json message{{"measure", index}};
    if (id) message["id"] = *id;
    for (std::size_t rank = 1; rank < lead_.ranks_.size(); ++rank) {
      if (takes_part(rank)) lead_.ranks_[rank].line.send(message);
    }
  }

  void one_case(std::size_t index) {
    const bool is_first = !cases_[index].device && !std::exchange(has_met_, has_met_ || !cases_[index].device);
    bool alive = worker_.request(index);
    awaits_id_ = is_first;
    if (!is_first) ask(index, std::nullopt);
    const double sampling_s = static_cast<double>(cases_[index].limits.max_time_ns) / 1e9;
    double until_s = context_.now_s() + sampling_s + kCaseS + (is_first ? kFirstS : 0);
    Answers answers(lead_.ranks_.size());
    while (alive && !all_answered(answers)) {
      const double now_s = context_.now_s();
      if (now_s >= context_.deadline_s)
        return stop(index, answers, "budget", fmt::format("the time budget was used up in {}", cases_[index].id));
      if (now_s >= until_s) return stop_waiting(index, answers);
      wait(index, answers, std::min(until_s, context_.deadline_s) - now_s);
      if (is_interrupted_) return stop(index, answers, "interrupted", context_.why_interrupted());
      if (!cases_[index].device && lost_.empty()) lost_ = std::exchange(gone_, "");
      if (!lost_.empty()) return stop(index, answers, "rank_lost", fmt::format("{}: {}", cases_[index].id, lost_));
      if (!gone_.empty()) leave_group();
      if (!cases_[index].device && any_unable(answers)) until_s = std::min(until_s, now_s + kGraceS);
    }
    if (!alive)
      return stop(index, answers, "rank_lost", fmt::format("{}: rank 0's measuring process ended", cases_[index].id));
    if (cases_[index].device) return take_figures(answers);
    finish(merged(answers));
  }

  [[nodiscard]] bool all_answered(const Answers& answers) const {
    for (std::size_t rank = 0; rank < answers.size(); ++rank) {
      if (!answers[rank] && (takes_part(rank) || !cases_.at(outcome_.measurements.size()).device)) return false;
    }
    return true;
  }

  static bool any_unable(const Answers& answers) {
    return std::any_of(answers.begin(), answers.end(), [](const std::optional<Measurement>& answer) {
      return answer && (answer->status == CaseStatus::failed || answer->status == CaseStatus::skipped);
    });
  }

  /// A line may end at any time, also when something is sent.
  void notice_who_is_gone(const Answers& answers) {
    for (std::size_t rank = 1; rank < answers.size(); ++rank) {
      const auto& each = lead_.ranks_[rank];
      const bool gone = each.hello && each.hello->device && each.line.is_gone() && !answers[rank];
      if (gone && known_gone_.insert(rank).second) gone_ = fmt::format("rank {} is gone", rank);
    }
  }

  void wait(std::size_t index, Answers& answers, double seconds) {
    constexpr double kLongestS = 60;
    notice_who_is_gone(answers);
    if (!gone_.empty()) return;
    std::vector<pollfd> fds{{context_.interrupt_fd, POLLIN, 0}, {awaits_id_ ? id_fd_ : -1, POLLIN, 0}};
    fds.push_back({answers[0] ? -1 : worker_.fd(), POLLIN, 0});
    for (std::size_t rank = 1; rank < answers.size(); ++rank) fds.push_back({lead_.ranks_[rank].line.fd(), POLLIN, 0});
    ::poll(fds.data(), fds.size(), static_cast<int>(std::min(seconds, kLongestS) * 1000) + 1);
    is_interrupted_ = fds[0].revents != 0;
    if (fds[1].revents != 0) pass_on_id(index);
    if (fds[2].revents != 0) take_own(answers);
    for (std::size_t rank = 1; rank < answers.size(); ++rank) take_from(rank, index, answers);
    notice_who_is_gone(answers);
  }

  void pass_on_id(std::size_t index) {
    awaits_id_ = false;
    const auto id = read_group_id(id_fd_);
    if (id) return ask(index, hex_of(*id));
    lost_ = "rank 0's measuring process made no id for the group";
  }

  void take_own(Answers& answers) {
    try {
      const auto answer = worker_.receive();
      if (!answer) {
        lost_ = "rank 0's measuring process ended: " + worker_.end();
        return;
      }
      answers[0] = answer->measurement;
      outcome_.spent.preparing_s += answer->time.preparing_s;
      outcome_.spent.measuring_s += answer->time.measuring_s;
      if (answer->process_spent) lost_ = "rank 0: " + answer->measurement.reason.value_or("its GPU failed");
    } catch (const Error& error) {
      lost_ = fmt::format("rank 0: {}", error.what());
    }
  }

  void take_from(std::size_t rank, std::size_t index, Answers& answers) {
    LineSocket& line = lead_.ranks_[rank].line;
    if (line.is_gone()) return;
    const auto message = line.receive();
    try {
      if (message && message->at("measured").get<std::size_t>() == index) {
        Measurement measurement = measurement_from_json(message->at("measurement"));
        if (measurement.device.has_value() == cases_[index].device.has_value()) answers[rank] = std::move(measurement);
      }
    } catch (const std::exception&) {
      line.close();
    }
  }

  /// What rank 0 measures alone goes on without the others.
  void leave_group() {
    outcome_.reasons.push_back({"rank_lost", gone_, std::nullopt});
    lead_.no_group_ = "rank_lost: " + std::exchange(gone_, "");
  }

  /// What every rank did alone.
  void take_figures(Answers& answers) {
    for (std::size_t rank = 0; rank < answers.size(); ++rank) {
      if (!answers[rank]) continue;
      const Measurement figures = normalize(*answers[rank], nullptr);
      if (figures.metric) lead_.ranks_[rank].figures[figures.id] = *figures.metric;
      if (rank == 0 || figures.status == CaseStatus::ok || figures.status == CaseStatus::skipped) continue;
      const bool wrong = figures.status == CaseStatus::wrong_result;
      outcome_.reasons.push_back(
          {wrong ? std::string(name_of(ErrorCode::hardware_fault)) : "rank_failed",
           fmt::format("rank {}: {}: {}", rank, figures.id, figures.reason.value_or("failed")).substr(0, 250),
           std::nullopt});
    }
    finish(std::move(*answers[0]));
  }

  /// All ranks agreed on the times; what one found wrong is wrong.
  static Measurement merged(const Answers& answers) {
    Measurement all = *answers.front();
    for (std::size_t rank = 1; rank < answers.size(); ++rank) {
      const Measurement& one = *answers[rank];
      if (one.verification && all.verification) {
        const std::int64_t positions = one.verification->positions + all.verification->positions;
        if (one.verification->max_error > all.verification->max_error) all.verification = one.verification;
        all.verification->positions = positions;
      }
      if (one.status == CaseStatus::ok || all.status == CaseStatus::failed) continue;
      all.status = one.status;
      all.reason = one.reason;
    }
    return all;
  }

  void stop_waiting(std::size_t index, const Answers& answers) {
    std::vector<std::size_t> silent;
    std::string why;
    for (std::size_t rank = 0; rank < answers.size(); ++rank) {
      if (!answers[rank]) silent.push_back(rank);
      if (answers[rank] && answers[rank]->reason && why.empty())
        why = fmt::format("; rank {}: {}", rank, *answers[rank]->reason);
    }
    stop(index, answers, "rank_hung",
         fmt::format("{}: no answer of ranks {}{}", cases_[index].id, fmt::join(silent, ", "), why));
  }

  /// A group that has lost a rank is not made again: the rest is left.
  void stop(std::size_t index, const Answers& answers, const std::string& code, const std::string& message) {
    const std::string reason = fmt::format("{}: {}", code, message).substr(0, 250);
    const bool is_own = cases_[index].device && answers[0];
    const bool is_failure = code.starts_with("rank_");
    finish(is_own ? *answers[0]
                  : not_measured(cases_[index], is_failure ? CaseStatus::failed : CaseStatus::skipped, reason));
    outcome_.reasons.push_back({code, message.substr(0, 250), std::nullopt});
    stopped_ = reason;
    worker_.end();
  }

  GroupLead& lead_;
  const std::vector<Case>& cases_;
  Worker worker_;
  int id_fd_;
  const MeasureContext& context_;
  MeasureOutcome outcome_;
  bool has_met_ = false, awaits_id_ = false, is_interrupted_ = false;
  std::string lost_;  ///< what became of rank 0's own process
  std::string gone_;  ///< or of another rank
  std::set<std::size_t> known_gone_;
  std::string stopped_;  ///< "code: message" once no further case is to be measured
};

MeasureOutcome GroupLead::measure(const std::vector<Case>& cases, const std::function<CaseRunner()>& make_runner,
                                  const IdLine& id_line, const MeasureContext& context) {
  for (Rank& rank : ranks_) rank.line.send({{"least_free_bytes", least_free_bytes_}, {"profile", to_name(profile_)}});
  return GroupPass(*this, cases, make_runner, id_line, context).run();
}

}  // namespace gpuassay
