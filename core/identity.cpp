#include "core/identity.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/gpu_names.h"
#include "core/gpu_peaks.h"

namespace gpuassay {
namespace {

constexpr const char* kMultiprocessors = "multiprocessors";
constexpr double kGib = 1024.0 * 1024.0 * 1024.0;

struct Range {
  double least = 0, most = 0;
};

// What the driver tells.
/// ECC, firmware and driver keep up to 9 % of the memory; no driver shows more than there is, GB and GiB apart.
constexpr Range kMemoryShare{0.90, 1.03};
/// Highest clock over the table's. Boards of one model are programmed alike; a later revision of the V100 has 4 % more.
constexpr Range kBoardClock{0.95, 1.08};
/// Boards that others than NVIDIA build, and workstation cards, go up to 37 % beyond what is advertised (P4).
constexpr double kFreeClock = 1.40;
/// Memory is clocked as specified; GeForce boards are sold up to a tenth faster.
constexpr Range kMemoryClock{0.94, 1.06}, kGeforceMemoryClock{0.90, 1.10};

// What our kernels measure.
/// Operations per clock of all multiprocessors, over those of the table. Recorded: 0.94 to 0.98 on Hopper, once 0.82.
constexpr Range kLanes{0.75, 1.03};
/// Kepler's schedulers feed 128 of its 192 lanes.
constexpr double kKeplerLanes = 0.5;
/// A ratio of two formats whose clocks were stamped differs by what the kernels do not reach; without the stamps also
/// by the clocks, which heat and power move between two cases by a third and more.
constexpr Range kStampedRatio{0.75, 1.30}, kRatio{0.50, 1.80};
/// fp16 with both accumulators draws about the same power: the clock is the same. GeForce has 2, all others 1.
constexpr Range kAccumulators{0.72, 1.36};
/// int8 over fp16 on tensor cores: reached at 0.98 of it on Hopper; a kernel for another generation may reach less.
constexpr Range kInt8{0.40, 1.30};
/// Device memory gives at most what its pins carry. From the V100 on, HBM gives 88 to 97 % of that; older HBM, and
/// GDDR with ECC, down to 60 %.
constexpr double kNewHbmLeast = 0.72, kMemoryLeast = 0.50, kMemoryMost = 1.0, kGeforceMemoryMost = 1.1;
constexpr int kVolta = 70;
/// L2 reads 2.1 (H200) times as fast as device memory and more at full clock; what does not fit it, as fast as that.
constexpr double kL2Knee = 1.15;
/// One block per multiprocessor may be late when another process fills some.
constexpr double kStampedLeast = 0.9;

/// A figure that spreads more was disturbed and says nothing about the model.
constexpr double kMostNoise = 0.10;

bool is_geforce(const GpuSpec& spec) { return spec.nvml_names.front().find("GeForce") != std::string::npos; }

/// fp64 at half rate: boards for datacenters, whose highest clock is the advertised one in every row that has both.
bool has_fixed_clock(const GpuSpec& spec) {
  const SmRates* const rates = sm_rates(spec.compute_capability);
  return rates != nullptr && 2 * rates->fp64 == rates->fp32;
}

/// Clocks that the row allows, in MHz.
std::optional<Range> clock_range(const GpuSpec& spec) {
  const auto highest = highest_sm_clock_mhz(spec);
  if (!highest) return std::nullopt;
  const bool fixed = (spec.nvml_max_sm_clock_mhz && !is_geforce(spec)) || has_fixed_clock(spec);
  return Range{kBoardClock.least * *highest, (fixed ? kBoardClock.most : kFreeClock) * *highest};
}

/// As NVML counts it: two transfers per clock and pin.
std::optional<double> memory_clock_mhz(const GpuSpec& spec) {
  if (spec.nvml_max_memory_clock_mhz) return spec.nvml_max_memory_clock_mhz;
  if (!spec.bandwidth_gb_per_s || !spec.memory_bus_bits) return std::nullopt;
  return *spec.bandwidth_gb_per_s * 8e3 / (2 * *spec.memory_bus_bits);
}

class Comparison {
 public:
  Comparison(const GpuSpec& spec, const IdentityEvidence& evidence)
      : spec_(spec), evidence_(evidence), peak_(theoretical_peak(spec)) {}

  std::vector<Contradiction> all() {
    what_is_told();
    lanes();
    double_precision();
    tensor_cores();
    memory();
    return std::move(found_);
  }

 private:
  void expect(const std::string& what, const std::optional<double>& value, const std::optional<Range>& range) {
    if (!value || !range || (*value >= range->least && *value <= range->most)) return;
    found_.push_back({what, fmt::format("{:.4g}", *value), fmt::format("{:.4g} to {:.4g}", range->least, range->most)});
  }

  void what_is_told() {
    if (evidence_.compute_capability && *evidence_.compute_capability != spec_.compute_capability)
      found_.push_back({"compute capability", *evidence_.compute_capability, spec_.compute_capability});
    if (evidence_.sm_count && *evidence_.sm_count != spec_.sm_count)
      found_.push_back({kMultiprocessors, std::to_string(*evidence_.sm_count), std::to_string(spec_.sm_count)});
    if (evidence_.memory_bytes)
      expect("memory in GiB", static_cast<double>(*evidence_.memory_bytes) / kGib,
             scaled(kMemoryShare, spec_.memory_gib));
    expect("highest SM clock in MHz", evidence_.max_sm_clock_mhz, clock_range(spec_));
    if (const auto clock = memory_clock_mhz(spec_))
      expect("memory clock in MHz", evidence_.max_memory_clock_mhz,
             scaled(is_geforce(spec_) ? kGeforceMemoryClock : kMemoryClock, *clock));
    if (spec_.pcie_generation && evidence_.max_pcie_generation > spec_.pcie_generation)
      found_.push_back({"PCIe generation", std::to_string(*evidence_.max_pcie_generation),
                        fmt::format("{} at most", *spec_.pcie_generation)});
  }

  /// Lanes of all multiprocessors together: absolutely at most what the highest clock gives, and per stamped clock.
  void lanes() {
    const MeasuredRate* const fp32 = rate(ComputeUnit::fma, DType::fp32);
    const auto clock = clock_range(spec_);
    if (evidence_.multiprocessors_stamped)
      expect("multiprocessors that stamped their clock", *evidence_.multiprocessors_stamped,
             Range{kStampedLeast * spec_.sm_count, static_cast<double>(spec_.sm_count)});
    const auto per_mhz = lanes_per_mhz();
    if (fp32 == nullptr || !clock || !per_mhz) return;
    expect("fp32 TFLOP/s, measured", fp32->tflop_per_s, Range{0, kLanes.most * *per_mhz * clock->most});
    if (!fp32->sm_clock_mhz) return;
    const double least = (spec_.compute_capability.starts_with("3.") ? kKeplerLanes : kLanes.least) * memory_share();
    expect("fp32 GFLOP per MHz, measured", fp32->tflop_per_s / *fp32->sm_clock_mhz * 1e3,
           Range{least * *per_mhz * 1e3, kLanes.most * *per_mhz * 1e3});
  }

  void double_precision() {
    const SmRates* const rates = sm_rates(spec_.compute_capability);
    if (rates == nullptr) return;
    Range told{static_cast<double>(rates->fp64) / rates->fp32, static_cast<double>(rates->fp64) / rates->fp32};
    // The sources of a few rows and the architecture's rates do not agree (A10): either is honest.
    if (spec_.fp64_tflop_per_s && spec_.fp32_tflop_per_s) {
      const double published = *spec_.fp64_tflop_per_s / *spec_.fp32_tflop_per_s;
      told = {std::min(told.least, published), std::max(told.most, published)};
    }
    if (spec_.compute_capability.starts_with("3.")) told.most /= kKeplerLanes;
    compare_rates("fp64 over fp32, measured", {ComputeUnit::fma, DType::fp64}, {ComputeUnit::fma, DType::fp32}, told,
                  true);
  }

  void tensor_cores() {
    const auto peak_of = [&](DType dtype) -> std::optional<double> {
      const auto found = peak_.tflop_per_s.find(dtype);
      return found == peak_.tflop_per_s.end() ? std::nullopt : std::optional(found->second);
    };
    const SmRates* const rates = sm_rates(spec_.compute_capability);
    const auto half = peak_of(DType::fp16);
    const auto lanes = peak_.fma_tflop_per_s.find(DType::fp32);
    if (rates == nullptr || rates->fp16_tensor == 0 || !spec_.fp16_tensor_tflop_per_s || !half) return;
    const double over_lanes = lanes == peak_.fma_tflop_per_s.end() ? 0 : *half / lanes->second;
    if (over_lanes > 0)
      compare_rates("fp16 on tensor cores over fp32 on lanes, measured", {ComputeUnit::mma, DType::fp16},
                    {ComputeUnit::fma, DType::fp32}, {over_lanes * least_of_tensor_cores(), over_lanes}, true);
    if (const auto full = peak_of(DType::fp16_acc16))
      compare_rates("fp16 accumulated in fp16 over fp32, measured", {ComputeUnit::mma, DType::fp16_acc16},
                    {ComputeUnit::mma, DType::fp16}, scaled(kAccumulators, *full / *half), false);
    if (const auto int8 = peak_of(DType::int8))
      compare_rates("int8 over fp16 on tensor cores, measured", {ComputeUnit::mma, DType::int8},
                    {ComputeUnit::mma, DType::fp16}, scaled(kInt8, *int8 / *half), false);
  }

  void memory() {
    if (!evidence_.memory_gb_per_s || !spec_.bandwidth_gb_per_s) return;
    // From the V100 on, the boards with full fp64 are those with HBM.
    const bool new_hbm = has_fixed_clock(spec_) && capability_number(spec_.compute_capability) >= kVolta;
    const double least =
        (new_hbm ? kNewHbmLeast : kMemoryLeast) * std::min(1.0, evidence_.memory_clock_share.value_or(1));
    const double lanes = lanes_share();
    expect("memory GB/s, measured", evidence_.memory_gb_per_s,
           scaled({least * lanes, is_geforce(spec_) ? kGeforceMemoryMost : kMemoryMost}, *spec_.bandwidth_gb_per_s));
    // L2 runs at the multiprocessors' clock, device memory at its own.
    if (evidence_.l2_gb_per_s && spec_.l2_mib && lanes > 0)
      expect("L2 over memory, measured", *evidence_.l2_gb_per_s / *evidence_.memory_gb_per_s / lanes,
             Range{kL2Knee, 1e3});
  }

  using Unit = std::pair<ComputeUnit, DType>;
  [[nodiscard]] const MeasuredRate* rate(ComputeUnit unit, DType dtype) const {
    const auto found = evidence_.compute.find({unit, dtype});
    return found == evidence_.compute.end() ? nullptr : &found->second;
  }

  /// `told`: what the table lets the ratio be; widened by what clocks and kernels do when `widened`.
  void compare_rates(const std::string& what, const Unit& over, const Unit& under, Range told, bool widened) {
    const MeasuredRate* const a = rate(over.first, over.second);
    const MeasuredRate* const b = rate(under.first, under.second);
    if (a == nullptr || b == nullptr) return;
    double ratio = a->tflop_per_s / b->tflop_per_s;
    const bool stamped = a->sm_clock_mhz && b->sm_clock_mhz;
    if (stamped) ratio *= *b->sm_clock_mhz / *a->sm_clock_mhz;
    const Range wide = stamped ? kStampedRatio : kRatio;
    expect(what, ratio, widened ? Range{told.least * wide.least, told.most * wide.most} : told);
  }

  // A device that is slow in everything is shared, not false: lanes and memory are held against each other. At most 1;
  // 0 where one of them is not known.
  [[nodiscard]] double lanes_share() const {
    const MeasuredRate* const fp32 = rate(ComputeUnit::fma, DType::fp32);
    const auto lanes = peak_.fma_tflop_per_s.find(DType::fp32);
    if (fp32 == nullptr || lanes == peak_.fma_tflop_per_s.end()) return 0;
    return std::min(1.0, fp32->tflop_per_s / lanes->second);
  }
  [[nodiscard]] double memory_share() const {
    if (!evidence_.memory_gb_per_s || !spec_.bandwidth_gb_per_s) return 0;
    return std::min(1.0, *evidence_.memory_gb_per_s / *spec_.bandwidth_gb_per_s);
  }

  /// What mma.sync reaches of the tensor cores' peak at least: 0.62 on Hopper (recorded), which has newer instructions;
  /// nobody measured the datacenter Blackwell.
  [[nodiscard]] double least_of_tensor_cores() const {
    const auto capability = capability_number(spec_.compute_capability);
    return capability == 90 ? 0.6 : capability == 100 ? 0.15 : 0.8;
  }

  /// TFLOP/s in fp32 for each MHz of clock, by whichever of the rates and the published figure says more.
  [[nodiscard]] std::optional<double> lanes_per_mhz() const {
    const SmRates* const rates = sm_rates(spec_.compute_capability);
    if (rates == nullptr) return std::nullopt;
    const double by_rates = spec_.sm_count * static_cast<double>(rates->fp32) / 1e6;
    if (!spec_.fp32_tflop_per_s || !spec_.boost_clock_mhz) return by_rates;
    return std::max(by_rates, *spec_.fp32_tflop_per_s / *spec_.boost_clock_mhz);
  }

  static Range scaled(Range range, double by) { return {range.least * by, range.most * by}; }

  const GpuSpec& spec_;
  const IdentityEvidence& evidence_;
  TheoreticalPeak peak_;
  std::vector<Contradiction> found_;
};

}  // namespace

IdentityEvidence identity_evidence(const Device& device, const std::vector<Measurement>& measurements) {
  IdentityEvidence evidence;
  evidence.compute_capability = device.compute_capability;
  evidence.sm_count = device.sm_count;
  evidence.memory_bytes = device.memory_bytes;
  if (device.limits) {
    evidence.max_sm_clock_mhz = device.limits->max_sm_clock_mhz;
    evidence.max_memory_clock_mhz = device.limits->max_memory_clock_mhz;
  }
  if (device.pci) evidence.max_pcie_generation = device.pci->max_generation;
  for (const Measurement& m : measurements) {
    if (m.device != device.index || m.status != CaseStatus::ok || !m.metric || m.regime != Regime::burst) continue;
    if (m.noise.value_or(0) > kMostNoise) continue;
    const auto stamped = m.telemetry ? m.telemetry->multiprocessors_stamped : std::nullopt;
    if (stamped) evidence.multiprocessors_stamped = std::max(evidence.multiprocessors_stamped.value_or(0), *stamped);
    if (const auto* compute = std::get_if<ComputeParams>(&m.params)) {
      MeasuredRate& best = evidence.compute[{compute->unit, compute->dtype}];
      if (m.metric->value <= best.tflop_per_s) continue;
      best = {m.metric->value, m.telemetry ? m.telemetry->sm_clock_stamped_mhz : std::nullopt};
    }
    const auto* bandwidth = std::get_if<BandwidthParams>(&m.params);
    if (bandwidth == nullptr || is_transfer(bandwidth->kernel)) continue;
    auto& fastest = bandwidth->level == MemoryLevel::l2 ? evidence.l2_gb_per_s : evidence.memory_gb_per_s;
    fastest = std::max(fastest.value_or(0), m.metric->value);
    const GpuTelemetry* const gpu = m.telemetry && m.telemetry->gpu ? &*m.telemetry->gpu : nullptr;
    if (gpu != nullptr && gpu->memory_clock_mhz && evidence.max_memory_clock_mhz)
      evidence.memory_clock_share = *gpu->memory_clock_mhz / *evidence.max_memory_clock_mhz;
  }
  return evidence;
}

std::vector<Contradiction> contradictions_with(const GpuSpec& spec, const IdentityEvidence& evidence) {
  return Comparison(spec, evidence).all();
}

std::vector<Contradiction> identity_contradictions(const Device& device, const std::vector<Measurement>& measurements) {
  if (device.kind != DeviceKind::cuda || device.mig || device.vgpu) return {};
  const IdentityEvidence evidence = identity_evidence(device, measurements);
  std::optional<std::vector<Contradiction>> fewest;
  for (const GpuSpec* spec : specs_called(device.name)) {
    std::vector<Contradiction> found = contradictions_with(*spec, evidence);
    if (!fewest || found.size() < fewest->size()) fewest = std::move(found);
  }
  return fewest.value_or(std::vector<Contradiction>());
}

bool is_fewer_sms(const Device& device, const Contradiction& contradiction) {
  if (contradiction.what != kMultiprocessors || !device.sm_count) return false;
  for (const GpuSpec* spec : specs_called(device.name)) {
    if (*device.sm_count < spec->sm_count) return true;
  }
  return false;
}

std::string contradiction_text(const Contradiction& contradiction) {
  return fmt::format("{} {} where it has {}", contradiction.what, contradiction.found, contradiction.expected);
}

}  // namespace gpuassay
