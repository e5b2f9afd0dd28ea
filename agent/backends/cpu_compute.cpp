#include "agent/backends/cpu_compute.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cmath>
#include <utility>
#include <vector>

#include "agent/backends/fma_kernels.h"
#include "agent/workloads/output_check.h"
#include "agent/workloads/random_inputs.h"
#include "core/enums.h"
#include "core/error.h"

namespace gpuassay {
namespace {

constexpr std::int64_t kStepsOfWidest = std::int64_t{1} << 18;
constexpr std::int64_t kFlopsPerStep = 2;

/// What one thread works on; apart from the others' cache lines.
struct alignas(128) LaneBlock {
  std::array<float, kMostFmaLanes> lanes{};
};

/// -1 to 1, another in every run.
float first_value(std::uint64_t epoch, std::size_t lane) {
  constexpr double kScale = 0x1p-63;
  return static_cast<float>(static_cast<double>(random_bits(epoch, lane)) * kScale - 1);
}

class CpuCompute final : public Operation {
 public:
  CpuCompute(std::shared_ptr<PinnedThreads> threads, const NamedFmaKernel& kernel, std::int64_t steps)
      : threads_(std::move(threads)),
        kernel_(kernel),
        steps_(steps),
        blocks_(static_cast<std::size_t>(threads_->size())) {}

  std::int64_t run_timed_ns(std::int64_t iterations) override {
    using Clock = std::chrono::steady_clock;
    Clock::time_point begin, end;
    ++epoch_;
    threads_->run([&](int member) {
      threads_->barrier();
      if (member == 0) begin = Clock::now();
      for (std::int64_t i = 0; i < iterations; ++i) work(static_cast<std::size_t>(member));
      threads_->barrier();
      if (member == 0) end = Clock::now();
    });
    return std::chrono::duration_cast<std::chrono::nanoseconds>(end - begin).count();
  }

  /// Exact: the same steps one after the other, in the same rounding.
  Verification verify() override {
    OutputCheck check({0, 0, true});
    const auto total = static_cast<std::int64_t>(blocks_.size() * kernel_.lanes);
    for (const std::int64_t position : sampled_positions(total, {0, total - 1})) {
      const auto lane = static_cast<std::size_t>(position);
      float want = first_value(epoch_, lane);
      for (std::int64_t step = 0; step < steps_; ++step)
        want = kernel_.fused ? std::fma(want, want, kFmaOffset) : want * want + kFmaOffset;
      const float got = blocks_[lane / kernel_.lanes].lanes.at(lane % kernel_.lanes);
      check.compare(got == want ? 0 : 1, ReferenceValue{});
    }
    Verification verification = check.result();
    verification.method = "exact_recomputation";
    verification.passed = verification.passed && epoch_ > 0;
    return verification;
  }

  [[nodiscard]] std::string algorithm() const override { return kernel_.name; }

 private:
  void work(std::size_t member) {
    LaneBlock& block = blocks_[member];
    for (std::size_t lane = 0; lane < kernel_.lanes; ++lane)
      block.lanes[lane] = first_value(epoch_, member * kernel_.lanes + lane);
    kernel_.run(block.lanes.data(), steps_);
  }

  std::shared_ptr<PinnedThreads> threads_;
  NamedFmaKernel kernel_;
  std::int64_t steps_;
  std::vector<LaneBlock> blocks_;
  std::uint64_t epoch_ = 0;  ///< number of runs
};

}  // namespace

std::int64_t cpu_compute_flops(int threads) {
  return std::int64_t{threads} * static_cast<std::int64_t>(kMostFmaLanes) * kFlopsPerStep * kStepsOfWidest;
}

std::unique_ptr<Operation> prepare_cpu_compute(std::shared_ptr<PinnedThreads> threads, const ComputeParams& params) {
  if (params.dtype != DType::fp32 || params.unit != ComputeUnit::fma) {
    throw Error(ErrorCode::unsupported, fmt::format("arithmetic alone in {} by {} units is measured on GPUs only",
                                                    to_name(params.dtype), to_name(params.unit)));
  }
  const NamedFmaKernel kernel = select_fma_kernel();
  const std::int64_t per_step = threads->size() * static_cast<std::int64_t>(kernel.lanes) * kFlopsPerStep;
  if (params.flops < per_step || params.flops % per_step != 0) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{} operations cannot be shared out over {} threads in steps of {}; use a multiple",
                            params.flops, threads->size(), per_step));
  }
  return std::make_unique<CpuCompute>(std::move(threads), kernel, params.flops / per_step);
}

}  // namespace gpuassay
