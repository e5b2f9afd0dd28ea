#include "agent/backends/clock_stamps.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/stats.h"

namespace gpuassay {
namespace {

/// Many times what any GPU has: one that says to have fewer multiprocessors than stamp is found out.
constexpr std::uint32_t kMostMultiprocessors = 1024;
/// Blocks for each, so that every multiprocessor gets one.
constexpr std::int64_t kBlocksEach = 8;
constexpr std::uint64_t kShortestNs = 10'000'000;
constexpr int kClockDigits = 5;

class StampWatch final : public ClockWatch {
 public:
  explicit StampWatch(std::shared_ptr<CudaContext> context)
      : context_(std::move(context)),
        before_(context_->allocate(kMostMultiprocessors * sizeof(kernels::ClockStamp))),
        after_(context_->allocate(kMostMultiprocessors * sizeof(kernels::ClockStamp))) {
    context_->fill_words(before_, 0);
    context_->fill_words(after_, 0);
    stamp(before_);
  }

  std::optional<StampedClock> stop() override {
    try {
      stamp(after_);
      return clock_between(read(before_), read(after_));
    } catch (const Error&) {  // what broke is the case's to tell: its next call meets it too
      return std::nullopt;
    }
  }

 private:
  void stamp(const DeviceBuffer& stamps) {
    kernels::ClockArguments arguments{};
    arguments.stamps = stamps.address();
    arguments.limit = kMostMultiprocessors;
    context_->launch_raw(context_->modules().function("base", kernels::kClock),
                         kBlocksEach * context_->facts().sm_count, 1, &arguments);
  }
  [[nodiscard]] std::vector<kernels::ClockStamp> read(const DeviceBuffer& stamps) const {
    std::vector<kernels::ClockStamp> all(kMostMultiprocessors);
    context_->read(stamps, std::as_writable_bytes(std::span(all)));
    return all;
  }

  std::shared_ptr<CudaContext> context_;
  DeviceBuffer before_, after_;
};

}  // namespace

std::optional<StampedClock> clock_between(std::span<const kernels::ClockStamp> before,
                                          std::span<const kernels::ClockStamp> after) {
  constexpr double kMhzPerGhz = 1e3;
  std::vector<double> clocks_mhz;
  for (std::size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
    if (before[i].global_ns == 0 || after[i].global_ns < before[i].global_ns + kShortestNs ||
        after[i].sm_cycles <= before[i].sm_cycles)
      continue;
    clocks_mhz.push_back(static_cast<double>(after[i].sm_cycles - before[i].sm_cycles) /
                         static_cast<double>(after[i].global_ns - before[i].global_ns) * kMhzPerGhz);
  }
  if (clocks_mhz.empty()) return std::nullopt;
  return StampedClock{round_significant(median(clocks_mhz), kClockDigits), static_cast<int>(clocks_mhz.size())};
}

std::unique_ptr<ClockWatch> watch_clock(std::shared_ptr<CudaContext> context) {
  return std::make_unique<StampWatch>(std::move(context));
}

}  // namespace gpuassay
