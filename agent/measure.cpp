#include "agent/measure.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "agent/measure_case.h"
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

enum class Wait { answered, ended, hung, deadline, interrupted };

/// One pass over the plan; holds what the cases share.
class Pass {
 public:
  Pass(const std::vector<Case>& plan, const std::function<CaseRunner()>& make_runner, const MeasureContext& context)
      : plan_(plan), make_runner_(make_runner), context_(context) {}

  MeasureOutcome run() {
    for (std::size_t index = 0; index < plan_.size() && stopped_.empty(); ++index) {
      context_.on_start(plan_[index], index);
      finish(one_case(index));
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
    if (const auto given_up = given_up_.find(planned.device); given_up != given_up_.end()) {
      return not_measured(planned, CaseStatus::skipped, given_up->second);
    }
    if (const auto left = left_.find(kind_of(planned)); left != left_.end()) {
      return not_measured(planned, CaseStatus::failed, left->second);
    }
    try {
      const bool fresh = !worker_;
      if (fresh) worker_ = std::make_unique<Worker>(make_runner_);
      const double left_s = context_.deadline_s - context_.now_s();
      const double patience_s = std::min(hang_s(planned) + (fresh ? kStartS : 0),
                                         std::max(kHangShareFromS + sampling_s(planned), kHangShare * left_s));
      const Wait wait = worker_->request(index) ? wait_for_answer(patience_s) : Wait::ended;
      if (wait == Wait::answered) {
        if (auto answer = worker_->receive(); answer && answer->measurement.id == planned.id) {
          if (answer->process_spent) lose_context(planned, answer->measurement.reason.value_or("no reason given"));
          return answer->measurement;
        }
        return dead_worker(planned, "worker_died", "its process ended in the middle of the case: ");
      }
      if (wait == Wait::ended) {
        return dead_worker(planned, "worker_died", "its process ended in the middle of the case: ");
      }
      if (wait == Wait::hung) {
        leave_kind(planned, "worker_hung: an earlier case of its kind hung on this device; not tried again");
        return dead_worker(planned, "worker_hung", "it did not end in time and was stopped: ");
      }
      return cut_off(planned, wait);
    } catch (const Error& error) {
      return not_measured(planned, CaseStatus::failed, fmt::format("{}: {}", name_of(error.code()), error.what()));
    }
  }

  static double hang_s(const Case& planned) {
    const double sampling = sampling_s(planned);
    return std::max(kMinHangS, std::min(kHangFactor * sampling, sampling + kMostBeyondSamplingS));
  }
  static double sampling_s(const Case& planned) { return static_cast<double>(planned.limits.max_time_ns) / 1e9; }

  Wait wait_for_answer(double patience_s) const {
    const double started_s = context_.now_s();
    while (true) {
      const double now_s = context_.now_s();
      if (now_s >= context_.deadline_s) return Wait::deadline;
      if (now_s - started_s >= patience_s) return Wait::hung;
      const double left_s = std::min(context_.deadline_s, started_s + patience_s) - now_s;
      std::array<pollfd, 2> fds{{{worker_->fd(), POLLIN, 0}, {context_.interrupt_fd, POLLIN, 0}}};
      ::poll(fds.data(), fds.size(), static_cast<int>(std::min(left_s, 60.0) * 1000) + 1);
      if (fds[1].revents != 0) return Wait::interrupted;
      if ((fds[0].revents & POLLIN) != 0) return Wait::answered;  // also at the end: receive() then finds nothing
      if (fds[0].revents != 0) return Wait::ended;
    }
  }

  Measurement dead_worker(const Case& planned, const std::string& code, const std::string& what) {
    const std::string how = worker_->end();
    worker_.reset();
    outcome_.reasons.push_back({code, fmt::format("{}: {}{}", planned.id, what, how), planned.device});
    count_dead_worker(planned);
    return not_measured(planned, CaseStatus::failed, fmt::format("{}: {}{}", code, what, how));
  }

  /// The worker answered, but its device can do no more in that process: the next case gets another one.
  void lose_context(const Case& planned, const std::string& reason) {
    worker_->end();
    worker_.reset();
    const bool hardware = reason.starts_with(name_of(ErrorCode::hardware_fault));
    outcome_.reasons.push_back({hardware ? std::string(name_of(ErrorCode::hardware_fault)) : "context_lost",
                                fmt::format("{}: {}", planned.id, reason), planned.device});
    count_dead_worker(planned);
  }

  using Kind = std::pair<int, Workload>;  ///< device and workload: what uses one library
  static Kind kind_of(const Case& planned) { return {planned.device, workload_of(planned.params)}; }

  void leave_kind(const Case& planned, std::string reason) { left_.emplace(kind_of(planned), std::move(reason)); }

  /// Other workloads go on when one is left, other devices when one is given up.
  void count_dead_worker(const Case& planned) {
    if (++dead_of_kind_[kind_of(planned)] >= kMaxDeadWorkersOfKind) {
      leave_kind(planned, "worker_died: earlier cases of its kind took their process along; not tried again");
    }
    const int device = planned.device;
    if (++dead_workers_[device] < kMaxDeadWorkers) return;
    constexpr std::string_view kCode = "too_many_failures";
    const std::string message = fmt::format("{} measuring processes of device {} were lost; its other cases were left",
                                            dead_workers_[device], device);
    given_up_[device] = fmt::format("{}: {}", kCode, message);
    outcome_.reasons.push_back({std::string(kCode), message, device});
  }

  Measurement cut_off(const Case& planned, Wait wait) {
    stopped_ = wait == Wait::deadline ? fmt::format("{}: the time budget was used up in {}", kBudget, planned.id)
                                      : fmt::format("interrupted: {}", context_.why_interrupted());
    worker_->end();
    worker_.reset();
    cut_off_ = 1;
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
  std::unique_ptr<Worker> worker_;
  std::string stopped_;  ///< "code: message" once no further case is to be measured
  std::size_t cut_off_ = 0;
  std::map<int, int> dead_workers_;  ///< by device
  std::map<Kind, int> dead_of_kind_;
  std::map<Kind, std::string> left_;     ///< "code: message" of kinds that are not tried again
  std::map<int, std::string> given_up_;  ///< "code: message" for the rest of a device's cases
};

}  // namespace

MeasureOutcome measure(const std::vector<Case>& plan, const std::function<CaseRunner()>& make_runner,
                       const MeasureContext& context) {
  return Pass(plan, make_runner, context).run();
}

}  // namespace gpuassay
