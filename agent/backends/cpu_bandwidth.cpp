#include "agent/backends/cpu_bandwidth.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "agent/backends/aligned_buffer.h"
#include "agent/backends/stream_kernels.h"
#include "agent/workloads/output_check.h"
#include "agent/workloads/random_inputs.h"
#include "agent/workloads/stream_reference.h"
#include "core/enums.h"
#include "core/error.h"

namespace gpuassay {
namespace {

constexpr std::size_t kLineBytes = 64;
/// Arrays start this far apart modulo a page: a load and a store at the same page offset slow each other down on
/// many CPUs (the store buffer compares only the low 12 bits).
constexpr std::size_t kArrayShiftBytes = 17 * kLineBytes;
/// Small arrays too lie in one huge page: a cache indexed by physical address then behaves the same in every run.
constexpr std::size_t kMinimumBufferBytes = std::size_t{2} << 20;
/// Marked elements per thread, at least; with few threads more, so that there are kSampledPositions in all.
constexpr std::size_t kMarksPerThread = 8;
/// Runs per candidate when normal and streaming stores are compared.
constexpr int kTrials = 3;

struct Arrays {
  AlignedBuffer a, b, c;
};

AlignedBuffer array_buffer(bool used, std::size_t array_bytes) {
  if (!used) return {};
  return AlignedBuffer(std::max(array_bytes + 2 * kArrayShiftBytes, kMinimumBufferBytes));
}

double* shifted(const AlignedBuffer& buffer, std::size_t shifts) {
  return buffer.data() == nullptr ? nullptr : buffer.as<double>().data() + shifts * kArrayShiftBytes / sizeof(double);
}

bool uses(BandwidthKernel kernel, StreamArray array) {
  if (kernel == BandwidthKernel::read) return array == StreamArray::a;
  if (kernel == BandwidthKernel::copy) return array != StreamArray::b;
  if (kernel == BandwidthKernel::mul) return array != StreamArray::a;
  return true;
}

StreamArray target_of(BandwidthKernel kernel) {
  if (kernel == BandwidthKernel::mul) return StreamArray::b;
  return kernel == BandwidthKernel::triad ? StreamArray::a : StreamArray::c;
}

/// What one thread works on and knows.
struct alignas(128) Share {
  StreamSlice slice{};
  std::uint64_t first = 0;          ///< position of the slice's first element in the whole array
  std::vector<std::size_t> marked;  ///< offsets whose inputs change before every run, ascending
  double base_sum = 0;              ///< read: sum of the slice as filled
  double expected_sum = 0;          ///< read: sum with the current marks
  double max_sum_error = 0;         ///< read: over all iterations since the last verification
};

class CpuBandwidth final : public Operation {
 public:
  CpuBandwidth(std::shared_ptr<PinnedThreads> threads, const BandwidthParams& params)
      : threads_(std::move(threads)), params_(params), shares_(static_cast<std::size_t>(threads_->size())) {
    const auto bytes = static_cast<std::size_t>(params.array_bytes);
    arrays_ = {array_buffer(uses(params.kernel, StreamArray::a), bytes),
               array_buffer(uses(params.kernel, StreamArray::b), bytes),
               array_buffer(uses(params.kernel, StreamArray::c), bytes)};
    share_out(bytes / kLineBytes);
    threads_->run([this](int member) { fill(shares_[static_cast<std::size_t>(member)]); });
    choose_kernel();
  }

  std::int64_t run_timed_ns(std::int64_t iterations) override {
    using Clock = std::chrono::steady_clock;
    ++epoch_;
    Clock::time_point begin, end;
    threads_->run([&](int member) {
      Share& share = shares_[static_cast<std::size_t>(member)];
      mark(share);
      threads_->barrier();
      if (member == 0) begin = Clock::now();
      work(share, iterations);
      threads_->barrier();
      if (member == 0) end = Clock::now();
    });
    iterations_done_ += static_cast<std::uint64_t>(iterations);
    return std::chrono::duration_cast<std::chrono::nanoseconds>(end - begin).count();
  }

  Verification verify() override {
    Verification verification = params_.kernel == BandwidthKernel::read ? verify_sums() : verify_elements();
    threads_->run([this](int member) { poison_target(shares_[static_cast<std::size_t>(member)]); });
    return verification;
  }

  [[nodiscard]] std::string algorithm() const override { return kernel_.name; }

 private:
  void share_out(std::size_t lines) {
    const std::size_t members = shares_.size();
    const std::size_t marks =
        std::max(kMarksPerThread, (static_cast<std::size_t>(kSampledPositions) + members - 1) / members);
    for (std::size_t member = 0; member < members; ++member) {
      const std::size_t begin = lines * member / members * kStreamLine;
      const std::size_t end = lines * (member + 1) / members * kStreamLine;
      const auto part = [&](const AlignedBuffer& buffer, std::size_t shifts) {
        double* start = shifted(buffer, shifts);
        return start == nullptr ? nullptr : start + begin;
      };
      Share& share = shares_[member];
      share.slice = {part(arrays_.a, 0), part(arrays_.b, 1), part(arrays_.c, 2), end - begin};
      share.first = begin;
      share.marked = {0, share.slice.count - 1};
      for (std::uint64_t draw = 0; share.marked.size() < marks; ++draw) {
        share.marked.push_back(static_cast<std::size_t>(random_bits(member, draw) % share.slice.count));
      }
      std::sort(share.marked.begin(), share.marked.end());
      share.marked.erase(std::unique(share.marked.begin(), share.marked.end()), share.marked.end());
    }
  }

  double* array_of(const Share& share, StreamArray array) const {
    if (array == StreamArray::a) return share.slice.a;
    return array == StreamArray::b ? share.slice.b : share.slice.c;
  }

  [[nodiscard]] bool is_input(StreamArray array) const {
    return uses(params_.kernel, array) &&
           (params_.kernel == BandwidthKernel::read || array != target_of(params_.kernel));
  }

  void fill(Share& share) const {
    for (const StreamArray array : {StreamArray::a, StreamArray::b, StreamArray::c}) {
      if (!is_input(array)) continue;
      double* elements = array_of(share, array);
      for (std::size_t i = 0; i < share.slice.count; ++i) {
        elements[i] = stream_input(params_.kernel, array, share.first + i, 0);
        if (params_.kernel == BandwidthKernel::read) share.base_sum += elements[i];
      }
    }
    poison_target(share);
  }

  /// An element that no run writes stays NaN and fails. read has no target; its errors start anew.
  void poison_target(Share& share) const {
    share.max_sum_error = 0;
    if (params_.kernel == BandwidthKernel::read) return;
    double* target = array_of(share, target_of(params_.kernel));
    std::fill(target, target + share.slice.count, std::numeric_limits<double>::quiet_NaN());
  }

  /// Gives the marked inputs values of this run: results left by an earlier run are then wrong.
  void mark(Share& share) const {
    share.expected_sum = share.base_sum;
    for (const StreamArray array : {StreamArray::a, StreamArray::b, StreamArray::c}) {
      if (!is_input(array)) continue;
      for (const std::size_t i : share.marked) {
        const double value = stream_input(params_.kernel, array, share.first + i, epoch_);
        share.expected_sum += value - stream_input(params_.kernel, array, share.first + i, 0);
        array_of(share, array)[i] = value;
      }
    }
  }

  void work(Share& share, std::int64_t iterations) {
    const bool together = params_.level == MemoryLevel::dram;
    for (std::int64_t i = 0; i < iterations; ++i) {
      const double sum = kernel_.run(share.slice, stream_scalar(iterations_done_ + static_cast<std::uint64_t>(i)));
      if (params_.kernel == BandwidthKernel::read) {
        share.max_sum_error = std::max(share.max_sum_error, std::fabs(sum - share.expected_sum));
      }
      if (together && i + 1 < iterations) threads_->barrier();
    }
  }

  void choose_kernel() {
    kernel_ = select_stream_kernel(params_.kernel, Stores::normal);
    if (params_.level != MemoryLevel::dram || params_.kernel == BandwidthKernel::read) return;
    const NamedStreamKernel normal = kernel_;
    const NamedStreamKernel streaming = select_stream_kernel(params_.kernel, Stores::streaming);
    std::int64_t normal_ns = std::numeric_limits<std::int64_t>::max(), streaming_ns = normal_ns;
    for (int trial = 0; trial < kTrials; ++trial) {
      kernel_ = normal;
      normal_ns = std::min(normal_ns, run_timed_ns(1));
      kernel_ = streaming;
      streaming_ns = std::min(streaming_ns, run_timed_ns(1));
    }
    kernel_ = streaming_ns <= normal_ns ? streaming : normal;
    threads_->run([this](int member) { poison_target(shares_[static_cast<std::size_t>(member)]); });
  }

  /// Exact: no rounding is left to chance. Marked elements, and as many between them.
  Verification verify_elements() const {
    OutputCheck check({0, 0, true});
    const double scalar = stream_scalar(iterations_done_ - 1);
    for (const Share& share : shares_) {
      const double* target = array_of(share, target_of(params_.kernel));
      const auto compare = [&](std::size_t i, std::uint64_t epoch) {
        check.compare(target[i], {stream_output(params_.kernel, share.first + i, epoch, scalar), 0});
      };
      for (std::size_t mark = 0; mark < share.marked.size(); ++mark) {
        const std::size_t i = share.marked[mark];
        compare(i, epoch_);
        const std::size_t next = mark + 1 < share.marked.size() ? share.marked[mark + 1] : share.slice.count;
        if (next - i > 1) compare(i + (next - i) / 2, 0);
      }
    }
    return analytic(check.result());
  }

  /// Every sum of every iteration was compared as it was made; all elements are in it.
  Verification verify_sums() const {
    OutputCheck check({0, 0, true});
    for (const Share& share : shares_) check.compare(share.max_sum_error, {0, 0});
    Verification verification = analytic(check.result());
    verification.positions = params_.array_bytes / static_cast<std::int64_t>(sizeof(double));
    return verification;
  }

  [[nodiscard]] Verification analytic(Verification verification) const {
    verification.method = "analytic";
    verification.passed = verification.passed && iterations_done_ > 0;
    return verification;
  }

  std::shared_ptr<PinnedThreads> threads_;
  BandwidthParams params_;
  std::vector<Share> shares_;
  Arrays arrays_;
  NamedStreamKernel kernel_{};
  std::uint64_t epoch_ = 0;            ///< number of runs
  std::uint64_t iterations_done_ = 0;  ///< in all runs
};

}  // namespace

std::unique_ptr<Operation> prepare_cpu_bandwidth(std::shared_ptr<PinnedThreads> threads,
                                                 const BandwidthParams& params) {
  if (select_stream_kernel(params.kernel, Stores::normal).run == nullptr) {
    throw Error(ErrorCode::unsupported, fmt::format("{} is measured on GPUs only", to_name(params.kernel)));
  }
  const std::int64_t smallest = threads->size() * static_cast<std::int64_t>(kLineBytes);
  if (params.array_bytes < smallest || params.array_bytes % static_cast<std::int64_t>(kLineBytes) != 0) {
    throw Error(ErrorCode::unsupported,
                fmt::format("arrays of {} bytes cannot be shared out over {} threads in cache lines of 64 bytes; "
                            "use a multiple of 64 of at least {}",
                            params.array_bytes, threads->size(), smallest));
  }
  return std::make_unique<CpuBandwidth>(std::move(threads), params);
}

}  // namespace gpuassay
