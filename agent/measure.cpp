#include "agent/measure.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <memory>

#include "agent/measure_case.h"
#include "core/error.h"

namespace gpuassay {
namespace {

/// A case that takes this many times its sampling limit, and at least this long, hangs: preparing and verifying cost
/// a few times the sampling at most, but on a machine that is busy with other things 10 s were seen.
constexpr double kHangFactor = 20;
constexpr double kMinHangS = 30;
/// After so many dead workers in one run the device or its library is broken; more attempts only burn the budget.
constexpr int kMaxDeadWorkers = 5;

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
    try {
      if (!worker_) worker_ = std::make_unique<Worker>(make_runner_);
      const Wait wait = worker_->request(index) ? wait_for_answer(planned) : Wait::ended;
      if (wait == Wait::answered) {
        if (auto measurement = worker_->receive(); measurement && measurement->id == planned.id) return *measurement;
        return dead_worker(planned, "worker_died", "its process ended in the middle of the case: ");
      }
      if (wait == Wait::ended) {
        return dead_worker(planned, "worker_died", "its process ended in the middle of the case: ");
      }
      if (wait == Wait::hung) return dead_worker(planned, "worker_hung", "it did not end in time and was stopped: ");
      return cut_off(planned, wait);
    } catch (const Error& error) {
      return not_measured(planned, CaseStatus::failed, fmt::format("{}: {}", name_of(error.code()), error.what()));
    }
  }

  Wait wait_for_answer(const Case& planned) const {
    const double hang_s = std::max(kMinHangS, kHangFactor * static_cast<double>(planned.limits.max_time_ns) / 1e9);
    const double started_s = context_.now_s();
    while (true) {
      const double now_s = context_.now_s();
      if (now_s >= context_.deadline_s) return Wait::deadline;
      if (now_s - started_s >= hang_s) return Wait::hung;
      const double left_s = std::min(context_.deadline_s, started_s + hang_s) - now_s;
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
    if (++dead_workers_ >= kMaxDeadWorkers) {
      stopped_ = fmt::format("too_many_failures: {} measuring processes died", dead_workers_);
    }
    return not_measured(planned, CaseStatus::failed, fmt::format("{}: {}{}", code, what, how));
  }

  Measurement cut_off(const Case& planned, Wait wait) {
    worker_->end();
    worker_.reset();
    stopped_ = wait == Wait::deadline ? fmt::format("{}: the time budget was used up", kBudget)
                                      : "interrupted: the run was asked to stop";
    cut_off_ = 1;
    return not_measured(planned, CaseStatus::skipped, stopped_);
  }

  /// Repeats that the budget did not reach are no loss: their operations were measured before.
  void add_stop_reason(std::size_t reached) {
    const auto first_time = [](const Case& planned) { return !planned.repeat; };
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
  int dead_workers_ = 0;
};

}  // namespace

MeasureOutcome measure(const std::vector<Case>& plan, const std::function<CaseRunner()>& make_runner,
                       const MeasureContext& context) {
  return Pass(plan, make_runner, context).run();
}

}  // namespace gpuassay
