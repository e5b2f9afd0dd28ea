#include "agent/worker_wait.h"

#include <poll.h>

#include <algorithm>

namespace gpuassay {
namespace {

/// One look takes no longer than this, whatever the clock says.
constexpr double kLongestPollS = 60;

/// What the waiting knows of one worker that is still open.
struct Open {
  Awaited* awaited = nullptr;
  double since_s = 0;
  bool is_warm = false;  ///< it waits for the others

  [[nodiscard]] double until_s() const { return since_s + awaited->patience_s; }
};

/// Everything that is left is warm: go.
void start_together(std::vector<Open>& open, double now_s) {
  const auto warm = [](const Open& each) { return each.is_warm; };
  if (open.empty() || !std::all_of(open.begin(), open.end(), warm)) return;
  for (Open& each : open) {
    each.is_warm = false;
    each.since_s = now_s;
    if (!each.awaited->worker->start()) each.awaited->how = Wait::ended;
  }
}

void end_all(std::vector<Open>& open, Wait how) {
  for (Open& each : open) each.awaited->how = how;
  open.clear();
}

void take_message(Open& open, short events) {
  if (events == 0) return;
  if ((events & POLLIN) == 0) {
    open.awaited->how = Wait::ended;
  } else if (open.awaited->worker->says_warm()) {
    open.is_warm = true;
  } else {
    open.awaited->how = Wait::answered;  // also at the end: receive() then finds nothing
  }
}

}  // namespace

void wait_for_workers(std::vector<Awaited>& workers, const MeasureContext& context) {
  std::vector<Open> open;
  open.reserve(workers.size());
  for (Awaited& each : workers) {
    if (!each.how) open.push_back({&each, context.now_s()});
  }
  while (!open.empty()) {
    const double now_s = context.now_s();
    if (now_s >= context.deadline_s) return end_all(open, Wait::deadline);
    double next_s = context.deadline_s;
    std::vector<pollfd> fds{{context.interrupt_fd, POLLIN, 0}};
    fds.reserve(open.size() + 1);
    for (const Open& each : open) {
      fds.push_back({each.awaited->worker->fd(), POLLIN, 0});
      if (!each.is_warm) next_s = std::min(next_s, each.until_s());
    }
    const double left_s = std::clamp(next_s - now_s, 0.0, kLongestPollS);
    ::poll(fds.data(), fds.size(), static_cast<int>(left_s * 1000) + 1);
    if (fds[0].revents != 0) return end_all(open, Wait::interrupted);
    const double after_s = context.now_s();
    for (std::size_t i = 0; i < open.size(); ++i) {
      take_message(open[i], fds[i + 1].revents);
      if (!open[i].awaited->how && !open[i].is_warm && after_s >= open[i].until_s()) open[i].awaited->how = Wait::hung;
    }
    std::erase_if(open, [](const Open& each) { return each.awaited->how.has_value(); });
    start_together(open, after_s);
    std::erase_if(open, [](const Open& each) { return each.awaited->how.has_value(); });
  }
}

}  // namespace gpuassay
