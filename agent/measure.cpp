#include "agent/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "agent/measure_case.h"
#include "agent/worker_wait.h"
#include "core/error.h"
#include "core/operations.h"

namespace gpuassay {
namespace {

/// A case that takes this many times its sampling limit, and at least this long, hangs: preparing and verifying cost
/// a few times the sampling at most, but on a machine that is busy with other things 10 s were seen.
constexpr double kHangFactor = 20;
constexpr double kMostBeyondSamplingS = 60;
constexpr double kMinHangS = 30;
/// More for the first case of a process: sixteen K80 dies need a minute to start.
constexpr double kStartS = 90;
/// One hanging case may take this share of the time that is left, and so much longer than its sampling in any case:
/// others want to be measured.
constexpr double kHangShare = 2.0 / 3;
constexpr double kHangShareFromS = 15;
/// After so many dead workers in one kind of workload the library behind it is broken, and after so many in all the
/// device; more attempts only burn the budget.
constexpr int kMaxDeadWorkersOfKind = 2, kMaxDeadWorkers = 5;

constexpr std::string_view kBudget = "budget";

/// One pass over the plan; holds what the cases share.
class Pass {
 public:
  Pass(const std::vector<Case>& plan, const std::function<CaseRunner()>& make_runner, const MeasureContext& context)
      : plan_(plan), make_runner_(make_runner), context_(context) {}

  MeasureOutcome run() {
    for (std::size_t index = 0; index < plan_.size() && stopped_.empty();) {
      context_.on_start(plan_[index], index);
      if (plan_[index].group == 0) {
        finish(one_case(index++));
      } else {
        index = group_from(index);
      }
    }
    const std::size_t reached = outcome_.measurements.size() - cut_off_;
    while (outcome_.measurements.size() < plan_.size()) {
      const Case& planned = plan_[outcome_.measurements.size()];
      outcome_.measurements.push_back(not_measured(planned, CaseStatus::skipped, stopped_));
    }
    if (!stopped_.empty()) add_stop_reason(reached);
    return std::move(outcome_);
  }

 private:
  void finish(Measurement measurement) {
    context_.on_finished(measurement);
    outcome_.measurements.push_back(std::move(measurement));
  }

  Measurement one_case(std::size_t index) {
    const Case& planned = plan_[index];
    if (auto left_out = left_out_of(planned)) return *left_out;
    Measurement measurement = settled(planned, [&] {
      std::vector<Awaited> one{asked(worker_, index)};
      wait_for_workers(one, context_);
      return settle(planned, *one.front().how, worker_);
    });
    add_time();
    return measurement;
  }

  /// Of the case, or the cases at the same time, that were settled since.
  void add_time() {
    outcome_.spent.preparing_s += longest_.preparing_s;
    outcome_.spent.measuring_s += longest_.measuring_s;
    longest_ = {};
  }

  /// Cases that run at the same time, each in a process of its own device; the number of the first case after them.
  std::size_t group_from(std::size_t first) {
    std::size_t end = first;
    while (end < plan_.size() && plan_[end].group == plan_[first].group) ++end;
    worker_.reset();  // it holds what it has loaded on the devices, and the group wants them whole
    std::vector<Awaited> members;
    std::vector<std::optional<Measurement>> left_out;
    for (std::size_t index = first; index < end; ++index) {
      left_out.push_back(left_out_of(plan_[index]));
      if (left_out.back()) continue;
      try {
        members.push_back(asked(group_workers_[plan_[index].device], index));
      } catch (const Error& error) {
        left_out.back() = failed(plan_[index], error);
      }
    }
    wait_for_workers(members, context_);
    for (const Awaited& member : members) {
      if (*member.how != Wait::answered) member.worker->kill();  // all of them first: reaping may take its time
    }
    auto member = members.begin();
    for (std::size_t index = first; index < end; ++index) {
      const Case& planned = plan_[index];
      std::optional<Measurement>& known = left_out[index - first];
      finish(known ? *known : settled(planned, [&] {
        return settle(planned, *(member++)->how, group_workers_[planned.device]);
      }));
    }
    add_time();
    return end;
  }

  /// Asks the worker, which is started where there is none, for a case.
  Awaited asked(std::unique_ptr<Worker>& worker, std::size_t index) {
    const bool fresh = !worker;
    if (fresh) worker = std::make_unique<Worker>(make_runner_);
    const Case& planned = plan_[index];
    const double left_s = context_.deadline_s - context_.now_s();
    const double patience_s = std::min(hang_s(planned) + (fresh ? kStartS : 0),
                                       std::max(kHangShareFromS + sampling_s(planned), kHangShare * left_s));
    return {worker.get(), patience_s, worker->request(index) ? std::nullopt : std::optional(Wait::ended)};
  }

  /// What the waiting for a case's worker came to.
  Measurement settle(const Case& planned, Wait wait, std::unique_ptr<Worker>& worker) {
    if (wait == Wait::answered) {
      if (auto answer = worker->receive(); answer && is_of(answer->measurement, planned)) {
        if (answer->process_spent)
          lose_context(planned, answer->measurement.reason.value_or("no reason given"), worker);
        longest_.preparing_s = std::max(longest_.preparing_s, answer->time.preparing_s);
        longest_.measuring_s = std::max(longest_.measuring_s, answer->time.measuring_s);
        return answer->measurement;
      }
      wait = Wait::ended;
    }
    if (wait == Wait::ended) {
      return dead_worker(planned, "worker_died", "its process ended in the middle of the case: ", worker);
    }
    if (wait == Wait::hung) {
      leave_kind(planned, "worker_hung: an earlier case of its kind hung on this device; not tried again");
      return dead_worker(planned, "worker_hung", "it did not end in time and was stopped: ", worker);
    }
    return cut_off(planned, wait, worker);
  }

  static bool is_of(const Measurement& measurement, const Case& planned) {
    return measurement.id == planned.id && measurement.device == planned.device && measurement.regime == planned.regime;
  }

  template <class Settle>
  static Measurement settled(const Case& planned, const Settle& settle) {
    try {
      return settle();
    } catch (const Error& error) {
      return failed(planned, error);
    }
  }

  static Measurement failed(const Case& planned, const Error& error) {
    return not_measured(planned, CaseStatus::failed, fmt::format("{}: {}", name_of(error.code()), error.what()));
  }

  /// Empty when the case is to be measured.
  std::optional<Measurement> left_out_of(const Case& planned) {
    if (const auto given_up = given_up_.find(planned.device); given_up != given_up_.end())
      return not_measured(planned, CaseStatus::skipped, given_up->second);
    if (const auto left = left_.find(kind_of(planned)); left != left_.end())
      return not_measured(planned, CaseStatus::failed, left->second);
    return std::nullopt;
  }

  static double hang_s(const Case& planned) {
    const double sampling = sampling_s(planned);
    return std::max(kMinHangS, std::min(kHangFactor * sampling, sampling + kMostBeyondSamplingS));
  }
  static double sampling_s(const Case& planned) { return static_cast<double>(planned.limits.max_time_ns) / 1e9; }

  Measurement dead_worker(const Case& planned, const std::string& code, const std::string& what,
                          std::unique_ptr<Worker>& worker) {
    const std::string how = worker->end();
    worker.reset();
    outcome_.reasons.push_back({code, fmt::format("{}: {}{}", planned.id, what, how), planned.device});
    count_dead_worker(planned);
    return not_measured(planned, CaseStatus::failed, fmt::format("{}: {}{}", code, what, how));
  }

  /// The worker answered, but its device can do no more in that process: the next case gets another one.
  void lose_context(const Case& planned, const std::string& reason, std::unique_ptr<Worker>& worker) {
    worker->end();
    worker.reset();
    const bool hardware = reason.starts_with(name_of(ErrorCode::hardware_fault));
    outcome_.reasons.push_back({hardware ? std::string(name_of(ErrorCode::hardware_fault)) : "context_lost",
                                fmt::format("{}: {}", planned.id, reason), planned.device});
    count_dead_worker(planned);
  }

  using Kind = std::pair<std::optional<int>, Workload>;  ///< device and workload: what uses one library
  static Kind kind_of(const Case& planned) { return {planned.device, workload_of(planned.params)}; }

  void leave_kind(const Case& planned, std::string reason) { left_.emplace(kind_of(planned), std::move(reason)); }

  /// Other workloads go on when one is left, other devices when one is given up.
  void count_dead_worker(const Case& planned) {
    if (++dead_of_kind_[kind_of(planned)] >= kMaxDeadWorkersOfKind) {
      leave_kind(planned, "worker_died: earlier cases of its kind took their process along; not tried again");
    }
    const std::optional<int> device = planned.device;
    if (++dead_workers_[device] < kMaxDeadWorkers) return;
    constexpr std::string_view kCode = "too_many_failures";
    const std::string message =
        fmt::format("{} measuring processes of {} were lost; its other cases were left", dead_workers_[device],
                    device ? fmt::format("device {}", *device) : "the instance");
    given_up_[device] = fmt::format("{}: {}", kCode, message);
    outcome_.reasons.push_back({std::string(kCode), message, device});
  }

  Measurement cut_off(const Case& planned, Wait wait, std::unique_ptr<Worker>& worker) {
    if (stopped_.empty()) {  // once for a whole group
      stopped_ = wait == Wait::deadline ? fmt::format("{}: the time budget was used up in {}", kBudget, planned.id)
                                        : fmt::format("interrupted: {}", context_.why_interrupted());
    }
    worker->end();
    worker.reset();
    ++cut_off_;
    return not_measured(planned, CaseStatus::skipped, stopped_);
  }

  /// Repeats that the budget did not reach are no loss, as their operations were measured before, nor is what is
  /// optional.
  void add_stop_reason(std::size_t reached) {
    const auto first_time = [](const Case& planned) { return !planned.repeat && !planned.optional; };
    const auto missing = std::count_if(plan_.begin() + static_cast<std::ptrdiff_t>(reached), plan_.end(), first_time);
    const std::size_t colon = stopped_.find(':');
    if (missing == 0 && stopped_.substr(0, colon) == kBudget) return;
    outcome_.reasons.push_back({stopped_.substr(0, colon),
                                fmt::format("{}; {} of {} cases were not measured", stopped_.substr(colon + 2), missing,
                                            std::count_if(plan_.begin(), plan_.end(), first_time)),
                                std::nullopt});
  }

  const std::vector<Case>& plan_;
  const std::function<CaseRunner()>& make_runner_;
  const MeasureContext& context_;
  MeasureOutcome outcome_;
  CaseTime longest_;  ///< of what is being settled
  std::unique_ptr<Worker> worker_;
  std::map<std::optional<int>, std::unique_ptr<Worker>> group_workers_;  ///< by device
  std::string stopped_;  ///< "code: message" once no further case is to be measured
  std::size_t cut_off_ = 0;
  std::map<std::optional<int>, int> dead_workers_;  ///< by device
  std::map<Kind, int> dead_of_kind_;
  std::map<Kind, std::string> left_;                    ///< "code: message" of kinds that are not tried again
  std::map<std::optional<int>, std::string> given_up_;  ///< "code: message" for the rest of a device's cases
};

}  // namespace

MeasureOutcome measure(const std::vector<Case>& plan, const std::function<CaseRunner()>& make_runner,
                       const MeasureContext& context) {
  return Pass(plan, make_runner, context).run();
}

}  // namespace gpuassay
