#include "agent/plan_cuda.h"

#include <algorithm>
#include <array>
#include <bit>
#include <set>
#include <tuple>

#include "agent/plan_collective.h"
#include "agent/plan_units.h"
#include "agent/workloads/compute_launch.h"
#include "core/enums.h"
#include "core/gpu_names.h"
#include "core/gpu_peaks.h"
#include "core/operation_times.h"
#include "core/operations.h"
#include "core/replay.h"
#include "core/workload_reader.h"

namespace gpuassay {
namespace {

/// Long enough for any link (2 ms on PCIe 5.0), and two of them are little pinned host memory.
constexpr std::int64_t kTransferBytes = 128 * kMiB;

/// How long each rank is sampled. Headlines last longer, so that clocks and power settle and NVML can be read.
struct RankLimits {
  SamplingLimits headline, score, rest;
  double square_gemm_s = 0;  ///< a square GEMM may take this long at its peak
};

// A case takes about 750 bytes of a document that may have 100 KB for one device: few samples are stored.
constexpr int kHeadlineStored = 7;
constexpr int kScoreStored = 5;
constexpr int kRestStored = 3;
/// From this many devices on, what every one of them runs is kept short.
constexpr std::size_t kCrowd = 3;

RankLimits limits_of(Profile profile, std::size_t devices) {
  RankLimits limits;
  switch (profile) {
    case Profile::quick:
      limits = {{5, 1000, 100 * kMs, 200 * kMs}, {3, 1000, 10 * kMs, 25 * kMs}, {3, 1000, 10 * kMs, 25 * kMs}, 0.03};
      break;
    case Profile::standard:
      limits = {{5, 1000, 500 * kMs, 1000 * kMs}, {5, 1000, 60 * kMs, 150 * kMs}, {5, 1000, 40 * kMs, 120 * kMs}, 0.1};
      break;
    case Profile::full:
      limits = {
          {10, 2000, 2000 * kMs, 4000 * kMs}, {5, 1000, 80 * kMs, 200 * kMs}, {10, 2000, 200 * kMs, 800 * kMs}, 0.3};
      break;
  }
  limits.headline.stored_samples = kHeadlineStored;
  limits.score.stored_samples = kScoreStored;
  limits.rest.stored_samples = kRestStored;
  if (devices < kCrowd) return limits;
  if (profile == Profile::full) {
    limits.score.min_time_ns = 60 * kMs;
    limits.score.max_time_ns = 150 * kMs;
  } else {
    limits.headline.min_time_ns = std::min(limits.headline.min_time_ns, 200 * kMs);
    limits.headline.max_time_ns = std::min(limits.headline.max_time_ns, 400 * kMs);
  }
  return limits;
}

/// How many operations of the networks are measured: in mixed precision, which the score is made of, in full, and at
/// least of each kind and type. Seen on an H200: the score of the first numbers is 3 %, of the second 2 % from that of
/// all.
struct ScoreCounts {
  std::size_t mixed = 0, full = 0, each = 0;
};

ScoreCounts score_counts(Profile profile) {
  constexpr std::size_t kAll = 1000;
  switch (profile) {
    case Profile::quick: return {24, 8, 4};
    case Profile::standard: return {57, 14, 4};
    case Profile::full: return {kAll, kAll, 4};
  }
  return {};
}

/// The ranks of one device, each without what a higher one has.
class RankedCases {
 public:
  RankedCases(const CudaPlanDevice& device, Profile profile, std::size_t devices)
      : device_(*device.device),
        free_bytes_(device.free_bytes),
        profile_(profile),
        limits_(limits_of(profile, devices)) {}

  [[nodiscard]] std::vector<Case> headlines();
  [[nodiscard]] std::vector<Case> score(const ScoreCounts& counts);
  [[nodiscard]] std::vector<Case> link();
  [[nodiscard]] std::vector<Case> best_of_the_rest();
  [[nodiscard]] std::vector<Case> rest();
  [[nodiscard]] std::vector<Case> all_memory();

 private:
  [[nodiscard]] int capability() const { return capability_number(capability_text()).value_or(0); }
  [[nodiscard]] std::string capability_text() const { return device_.compute_capability.value_or(""); }
  [[nodiscard]] bool roomy() const { return free_bytes_ >= 6 * kGiB; }

  void add(std::vector<Case>& cases, const OperationParams& params, const SamplingLimits& limits, bool telemetry);
  void add_rest(std::vector<Case>& cases, const OperationParams& params) { add(cases, params, limits_.rest, false); }

  [[nodiscard]] double peak_tflop_per_s(DType dtype) const;
  [[nodiscard]] std::int64_t square_size(DType dtype, std::int64_t largest) const;
  [[nodiscard]] std::int64_t dram_array_bytes() const;
  [[nodiscard]] std::int64_t l2_array_bytes() const;
  [[nodiscard]] std::vector<DType> network_dtypes() const;
  [[nodiscard]] std::vector<ReplayOperation> replay(WorkloadPrecision precision) const;
  void add_compute(std::vector<Case>& cases);
  void add_memory(std::vector<Case>& cases);
  void add_network_gemms(std::vector<Case>& cases);
  void add_convolutions(std::vector<Case>& cases);

  const Device& device_;
  std::int64_t free_bytes_;
  Profile profile_;
  RankLimits limits_;
  std::set<std::string> ids_;
};

void RankedCases::add(std::vector<Case>& cases, const OperationParams& params, const SamplingLimits& limits,
                      bool telemetry) {
  std::string id = case_id(params);
  if (!ids_.insert(id).second) return;
  Case planned{std::move(id), device_.index, params, Regime::burst, limits};
  planned.gpu_telemetry = telemetry;
  cases.push_back(std::move(planned));
}

/// For planning only. A card of which nothing is known is taken for a slow one.
double RankedCases::peak_tflop_per_s(DType dtype) const {
  constexpr double kSlow = 2;
  if (!device_.theoretical) return kSlow;
  const auto& peaks = device_.theoretical->tflop_per_s;
  const auto found = peaks.find(dtype);
  if (found != peaks.end()) return found->second;
  const auto fp32 = peaks.find(DType::fp32);
  return fp32 != peaks.end() ? fp32->second : kSlow;
}

/// The largest square GEMM that fits a third of the memory and takes no longer than the profile allows.
std::int64_t RankedCases::square_size(DType dtype, std::int64_t largest) const {
  constexpr std::int64_t kSmallest = 1024;
  constexpr double kBytesPerElement = 8;  // operands and workspace of the widest format
  std::int64_t best = kSmallest;
  for (std::int64_t size = kSmallest; size <= largest; size *= 2) {
    const double seconds = flop_count(GemmParams{dtype, size, size, size, 1}) / peak_tflop_per_s(dtype) / 1e12;
    const double bytes = 3 * kBytesPerElement * static_cast<double>(size) * static_cast<double>(size);
    if (seconds <= limits_.square_gemm_s && bytes <= static_cast<double>(free_bytes_) / 3) best = size;
  }
  return best;
}

/// 1 GiB, eight times the largest L2 there is, unless the three arrays of a triad would pass half the memory.
std::int64_t RankedCases::dram_array_bytes() const {
  const auto affordable = static_cast<std::uint64_t>(std::max<std::int64_t>(free_bytes_ / 6, kMiB));
  return std::min(kGiB, static_cast<std::int64_t>(std::bit_floor(affordable)));
}

/// A quarter of the L2: both halves of a partitioned one may hold a copy, and the block sums need some. 256 KiB, which
/// fits the L2 of every card since 2012, where it is unknown or only a MIG slice of it is ours.
std::int64_t RankedCases::l2_array_bytes() const {
  const GpuSpec* spec =
      find_gpu_spec({device_.name, device_.memory_bytes, device_.sm_count, device_.compute_capability, {}}).spec;
  const bool whole_card = spec != nullptr && !device_.mig;
  const double l2_bytes = (whole_card ? spec->l2_mib.value_or(1) : 1) * static_cast<double>(kMiB);
  return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(l2_bytes / 4)));
}

/// The formats in which networks run on this card: 16-bit, and the narrow ones for inference.
std::vector<DType> RankedCases::network_dtypes() const {
  const DType half = capability() >= 80 ? DType::bf16 : preferred_types(device_).half;
  std::vector<DType> dtypes{half};
  for (const DType dtype : dtypes_of(capability_text())) {
    if (dtype == DType::fp8_e4m3 || dtype == DType::fp4) dtypes.push_back(dtype);
  }
  return dtypes;
}

std::vector<Case> RankedCases::headlines() {
  constexpr std::int64_t kLargest = 8192;
  std::vector<Case> cases;
  const DType dtype = preferred_types(device_).half;
  const std::int64_t size = square_size(dtype, kLargest);
  add(cases, GemmParams{dtype, size, size, size, 1}, limits_.headline, true);
  add(cases, BandwidthParams{BandwidthKernel::triad, MemoryLevel::dram, dram_array_bytes()}, limits_.headline, true);
  return cases;
}

/// The operations of the networks that the score predicts (core/predict.h). The networks fit 8 GB; of a smaller card's
/// operations some do not fit, and are estimated from the others.
std::vector<Case> RankedCases::score(const ScoreCounts& counts) {
  std::vector<ReplayOperation> operations;
  const auto take = [&](WorkloadPrecision precision, std::size_t count, std::size_t each) {
    std::vector<ReplayOperation> fitting;
    for (const ReplayOperation& operation : replay(precision)) {
      if (operand_bytes(operation.params) <= static_cast<double>(free_bytes_) / 4) fitting.push_back(operation);
    }
    for (const ReplayOperation& operation : most_telling(fitting, count, each)) operations.push_back(operation);
  };
  take(WorkloadPrecision::mixed, counts.mixed, counts.each);
  if (preferred_types(device_).half != preferred_types(device_).fp32)
    take(WorkloadPrecision::full, counts.full, counts.each);
  std::vector<Case> cases;
  // First, as they are short: without them every small kernel of a network would cost nothing.
  for (const LatencyKind kind : {LatencyKind::kernel_launch, LatencyKind::graph_launch})
    add_rest(cases, LatencyParams{kind});
  for (const ReplayOperation& operation : operations) add(cases, operation.params, limits_.score, false);
  return cases;
}

std::vector<ReplayOperation> RankedCases::replay(WorkloadPrecision precision) const {
  constexpr double kUsualFlopsPerByte = 100;
  const ComputeTypes types = preferred_types(device_);
  const DType dtype = precision == WorkloadPrecision::mixed ? types.half : types.fp32;
  double flops_per_byte = kUsualFlopsPerByte;
  if (device_.theoretical && device_.theoretical->bandwidth_gb_per_s)
    flops_per_byte = 1e3 * peak_tflop_per_s(dtype) / *device_.theoretical->bandwidth_gb_per_s;
  return replay_operations(core_workloads(), precision, types, flops_per_byte);
}

std::vector<Case> RankedCases::link() {
  std::vector<Case> cases;
  for (const BandwidthKernel kernel : {BandwidthKernel::h2d, BandwidthKernel::d2h}) {
    add(cases, BandwidthParams{kernel, MemoryLevel::pinned, kTransferBytes}, limits_.rest, true);
  }
  return cases;
}

std::vector<Case> RankedCases::best_of_the_rest() {
  std::vector<Case> cases;
  SamplingLimits limits = limits_.headline;
  limits.min_time_ns /= 4;
  limits.max_time_ns /= 4;
  if (profile_ != Profile::full) limits.stored_samples = kScoreStored;
  for (const std::int64_t largest : {8192, 16384}) {
    if (largest > 8192 && profile_ != Profile::full) continue;
    for (const DType dtype : dtypes_of(capability_text())) {
      const std::int64_t size = square_size(dtype, largest);
      add(cases, GemmParams{dtype, size, size, size, 1}, limits, profile_ == Profile::full);
    }
  }
  add_compute(cases);
  return cases;
}

/// In quick one figure per unit; in standard the lanes only in what tensor cores have not, and in fp64; in full all.
void RankedCases::add_compute(std::vector<Case>& cases) {
  for (const auto& [dtype, name] : EnumNames<DType>::values) {
    for (const ComputeUnit unit : {ComputeUnit::fma, ComputeUnit::mma}) {
      const ComputeKernel* kernel = find_compute_kernel(dtype, unit, capability());
      if (kernel == nullptr || device_.sm_count.value_or(0) <= 0) continue;
      const bool first_figure = dtype == (unit == ComputeUnit::fma ? DType::fp32 : DType::fp16);
      if (profile_ == Profile::quick && !first_figure) continue;
      const bool has_tensor = find_compute_kernel(dtype, ComputeUnit::mma, capability()) != nullptr;
      const bool second_best = unit == ComputeUnit::fma && has_tensor && dtype != DType::fp64;
      if (profile_ == Profile::standard && second_best) continue;
      add_rest(cases, ComputeParams{dtype, unit, compute_launch(*kernel, *device_.sm_count).flops});
    }
  }
}

std::vector<Case> RankedCases::rest() {
  std::vector<Case> cases;
  if (profile_ == Profile::quick) return cases;
  add_memory(cases);
  add_network_gemms(cases);
  add_convolutions(cases);
  return cases;
}

void RankedCases::add_memory(std::vector<Case>& cases) {
  using enum BandwidthKernel;
  for (const BandwidthKernel kernel : {read, write, copy, mul, BandwidthKernel::add, gather}) {
    const bool as_another = kernel == mul || kernel == BandwidthKernel::add;  // move what copy and triad move
    if (as_another && profile_ != Profile::full) continue;
    add_rest(cases, BandwidthParams{kernel, MemoryLevel::dram, dram_array_bytes()});
  }
  add_rest(cases, BandwidthParams{read, MemoryLevel::l2, l2_array_bytes()});
  add_rest(cases, BandwidthParams{bidirectional, MemoryLevel::pinned, kTransferBytes});
  add_rest(cases, BandwidthParams{h2d, MemoryLevel::pageable, kTransferBytes});
  add_rest(cases, BandwidthParams{d2h, MemoryLevel::pageable, kTransferBytes});
}

/// Nearly all that is free: the context and cuBLAS take some meanwhile, and cuDNN's workspace an eighth or a GiB.
std::vector<Case> RankedCases::all_memory() {
  std::vector<Case> cases;
  const std::int64_t left = free_bytes_ / 32 + kGiB + std::min(kGiB, free_bytes_ / 8);
  const std::int64_t bytes = (free_bytes_ - left) / kMiB * kMiB;
  if (profile_ == Profile::quick || bytes < kMiB) return cases;
  SamplingLimits limits = limits_.rest;
  limits.min_samples = 1;
  limits.stored_samples = 1;
  add(cases, BandwidthParams{BandwidthKernel::readback, MemoryLevel::dram, bytes}, limits, false);
  for (Case& each : cases) each.optional = true;
  return cases;
}

/// The linear layers of transformers. Prefill: 2048 tokens through a layer of an 8 B model (hidden 4096, 14336 inside).
/// Decode: 1 to 64 tokens through one of a 70 B model (8192, 28672), whose weights no L2 holds; of the 8 B model where
/// memory is small. Mixture of experts: 8 experts of the 8 B layer with a few and with many tokens each.
void RankedCases::add_network_gemms(std::vector<Case>& cases) {
  constexpr std::int64_t kHidden = 4096, kInner = 14336, kTokens = 2048, kExperts = 8;
  const std::int64_t decode_hidden = roomy() ? 8192 : kHidden;
  const std::int64_t decode_inner = roomy() ? 28672 : kInner;
  for (const DType dtype : network_dtypes()) {
    const bool first = dtype == network_dtypes().front();
    if (first) add_rest(cases, GemmParams{dtype, kTokens, kHidden, kHidden, 1});
    add_rest(cases, GemmParams{dtype, kTokens, kInner, kHidden, 1});
    for (const std::int64_t m : {1, 16, 64}) {
      if (first || m == 1) add_rest(cases, GemmParams{dtype, m, decode_inner, decode_hidden, 1});
    }
  }
  if (!roomy()) return;
  for (const std::int64_t tokens : {16, 256}) {
    add_rest(cases, GemmParams{network_dtypes().front(), tokens, kInner, kHidden, kExperts});
  }
}

/// Convolutions in formats the score does not use: bf16 where tensor cores have it, fp16 where only the lanes have. In
/// full all of ResNet-50's training, else a typical layer forward (3*3, 256 channels).
void RankedCases::add_convolutions(std::vector<Case>& cases) {
  std::optional<DType> dtype;
  if (capability() >= 80) dtype = DType::bf16;
  if (capability() == 60) dtype = DType::fp16;
  if (!dtype) return;
  for (const TracedOperation& operation : find_workload("resnet50_train")->operations) {
    const auto params = measurable_params(operation, *dtype);
    const auto* conv = params ? std::get_if<ConvParams>(&*params) : nullptr;
    if (conv == nullptr) continue;
    const bool typical =
        conv->r == 3 && conv->stride == 1 && conv->c == 256 && conv->direction == ConvDirection::forward;
    if (profile_ == Profile::full || typical) add_rest(cases, *conv);
  }
}

/// Positions of the first device of each kind.
std::vector<std::size_t> first_of_each_kind(const std::vector<CudaPlanDevice>& devices) {
  std::vector<std::size_t> firsts;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const bool seen = std::any_of(firsts.begin(), firsts.end(),
                                  [&](std::size_t j) { return same_kind(*devices[i].device, *devices[j].device); });
    if (!seen) firsts.push_back(i);
  }
  return firsts;
}

}  // namespace

std::vector<Case> plan_cuda(const std::vector<CudaPlanDevice>& devices, Profile profile,
                            const std::vector<Case>& around) {
  std::vector<Case> all;
  if (devices.empty()) return all;
  const auto append = [&all](std::vector<Case> cases) {
    for (Case& planned : cases) all.push_back(std::move(planned));
  };
  std::vector<RankedCases> ranked;
  ranked.reserve(devices.size());
  for (const CudaPlanDevice& device : devices) ranked.emplace_back(device, profile, devices.size());
  const std::vector<std::size_t> firsts = first_of_each_kind(devices);

  for (RankedCases& device : ranked) append(device.headlines());
  for (const std::size_t i : firsts) append(ranked[i].score(score_counts(profile)));
  const std::size_t to_repeat = devices.size() == 1 && profile != Profile::quick ? all.size() : 0;
  for (RankedCases& device : ranked) append(device.link());
  append(collective_cases(devices, profile));
  for (const std::size_t i : firsts) append(ranked[i].best_of_the_rest());
  append(around);
  for (const std::size_t i : firsts) append(ranked[i].rest());
  for (RankedCases& device : ranked) append(device.all_memory());
  if (profile == Profile::full) {
    // Nothing new where it was planned above.
    for (RankedCases& device : ranked) append(device.score(score_counts(Profile::standard)));
  }
  for (std::size_t i = 0; i < to_repeat; ++i) {
    Case again = all[i];
    again.repeat = true;
    all.push_back(std::move(again));
  }
  return all;
}

}  // namespace gpuassay
