#include "agent/backends/candidate_trial.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace gpuassay {
namespace {

/// A candidate that takes this many times the best one's time gets no further turn. Large, because the first run also
/// pays for page faults, instruction-cache misses and kernels loaded at first use.
constexpr std::int64_t kHopelessFactor = 3;
/// Who is in the final: at most so many, within the quotient of a boost clock and one at the power limit.
constexpr std::size_t kFinalists = 4;
constexpr double kFinalistFactor = 1.4;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

class Trial {
 public:
  Trial(std::size_t count, const CandidateRun& run, const TrialLimits& limits)
      : run_(run), limits_(limits), best_ns_(count, kNever), refused_(count, false) {}

  std::optional<std::size_t> fastest() {
    for (int turn = 0; goes_on(turn); ++turn) take_turn(turn);
    const auto best = std::min_element(best_ns_.begin(), best_ns_.end());
    if (*best == kNever) return std::nullopt;
    if (limits_.final_turns > 0) return winner_of_final();
    return static_cast<std::size_t>(best - best_ns_.begin());
  }

 private:
  [[nodiscard]] std::vector<std::size_t> finalists() const {
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < best_ns_.size(); ++i) {
      if (static_cast<double>(best_ns_[i]) <= kFinalistFactor * static_cast<double>(best_ns())) chosen.push_back(i);
    }
    std::stable_sort(chosen.begin(), chosen.end(),
                     [this](std::size_t one, std::size_t other) { return best_ns_[one] < best_ns_[other]; });
    chosen.resize(std::min(chosen.size(), kFinalists));
    return chosen;
  }

  [[nodiscard]] std::size_t winner_of_final() const {
    const std::vector<std::size_t> chosen = finalists();
    if (chosen.size() == 1) return chosen.front();
    std::vector<std::vector<std::int64_t>> times_ns(chosen.size());
    std::int64_t spent_ns = 0;
    for (int turn = 0; turn < limits_.final_turns && (turn == 0 || spent_ns < limits_.final_budget_ns); ++turn) {
      for (std::size_t i = 0; i < chosen.size(); ++i) {
        times_ns[i].push_back(run_(chosen[i]).value_or(kNever));
        spent_ns += times_ns[i].back() == kNever ? 0 : times_ns[i].back();
      }
    }
    const auto median_ns = [](std::vector<std::int64_t>& times) {
      const auto middle = times.begin() + (std::ssize(times) - 1) / 2;
      std::nth_element(times.begin(), middle, times.end());
      return *middle;
    };
    std::size_t winner = 0;
    std::int64_t lowest_ns = kNever;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (const std::int64_t each_ns = median_ns(times_ns[i]); each_ns < lowest_ns) lowest_ns = each_ns, winner = i;
    }
    return chosen[winner];
  }

  [[nodiscard]] std::int64_t best_ns() const { return *std::min_element(best_ns_.begin(), best_ns_.end()); }

  [[nodiscard]] bool goes_on(int turn) const {
    if (turn == 0) return true;
    if (best_ns() == kNever || spent_ns_ >= limits_.max_ns) return false;
    if (turn >= 2 && best_ns() > limits_.long_run_ns) return false;
    return turn < limits_.min_turns || spent_ns_ < limits_.budget_ns;
  }

  void take_turn(int turn) {
    std::size_t tried = 0;
    for (std::size_t i = 0; i < best_ns_.size(); ++i) {
      if (refused_[i]) continue;
      if (turn > 0 && (best_ns_[i] == kNever || best_ns_[i] / kHopelessFactor > best_ns())) continue;
      if (turn == 0 && tried >= 2 && spent_ns_ >= limits_.max_ns) return;
      const std::optional<std::int64_t> time_ns = run_(i);
      if (!time_ns) {
        refused_[i] = true;
        continue;
      }
      ++tried;
      spent_ns_ += *time_ns;
      best_ns_[i] = std::min(best_ns_[i], *time_ns);
    }
  }

  const CandidateRun& run_;
  const TrialLimits& limits_;
  std::vector<std::int64_t> best_ns_;
  std::vector<bool> refused_;
  std::int64_t spent_ns_ = 0;
};

}  // namespace

std::optional<std::size_t> fastest_candidate(std::size_t count, const CandidateRun& run, const TrialLimits& limits) {
  if (count == 0) return std::nullopt;
  if (count == 1) return 0;
  return Trial(count, run, limits).fastest();
}

}  // namespace gpuassay
