#include "agent/plan.h"

#include <algorithm>
#include <array>
#include <set>

#include "agent/plan_cuda.h"
#include "agent/plan_host.h"
#include "agent/plan_peers.h"
#include "agent/plan_sustained.h"
#include "agent/plan_units.h"
#include "core/operation_times.h"
#include "core/operations.h"
#include "core/replay.h"
#include "core/stats.h"
#include "core/workload_reader.h"

namespace gpuassay {
namespace {

/// Seconds one square GEMM may take by the estimate: about five samples then fit the shortest case limits.
constexpr double kQuickGemmS = 0.1;
constexpr double kGemmS = 0.4;
/// STREAM's rule: an array at least four times the last-level cache, so that caches cannot help.
constexpr std::int64_t kDramOverCache = 4;
constexpr std::int64_t kMinDramArrayBytes = 128 * kMiB;
/// The three arrays of a triad together take at most 3/16 of the memory.
constexpr std::int64_t kMemoryOverArray = 16;
/// A working set of half the cache leaves room for what else lives in it.
constexpr std::int64_t kCacheShare = 2;
constexpr std::int64_t kTriadArrays = 3;
constexpr std::int64_t kCacheLineBytes = 64;
/// A standard document must stay below 100 KB: cases that are no headline keep this many samples.
constexpr int kStoredSamples = 15;

/// The operations of the workloads are many, and some take seconds.
constexpr SamplingLimits kReplayLimits{5, 100, 30 * kMs, 200 * kMs, 5};

/// How much of the networks' operations a profile measures, by the pessimistic estimate of their time; and how many, as
/// a standard document must stay small.
struct ReplayBudget {
  double seconds = 0;
  std::size_t cases = 0;
};
ReplayBudget replay_budget(Profile profile) {
  switch (profile) {
    case Profile::quick: return {10, 40};
    case Profile::standard: return {21, 70};
    case Profile::full: return {300, 1000};
  }
  return {};
}

/// Collects cases, dropping repeats, all with the limits of one profile.
class CaseList {
 public:
  CaseList(int device, SamplingLimits limits) : device_(device), limits_(limits) {}
  void add(const OperationParams& params) { add(params, limits_); }
  void add_headline(const OperationParams& params) {
    SamplingLimits limits = limits_;
    limits.stored_samples = kMaxStoredSamples;
    add(params, limits);
  }
  void add_replay(const OperationParams& params) { add(params, kReplayLimits); }
  /// What was added so far comes once more at the end.
  void mark_for_repeat() { repeated_ = cases_.size(); }
  std::vector<Case> take() {
    for (std::size_t i = 0; i < repeated_; ++i) {
      Case again = cases_[i];
      again.repeat = true;
      cases_.push_back(std::move(again));
    }
    return std::move(cases_);
  }

 private:
  void add(const OperationParams& params, const SamplingLimits& limits) {
    std::string id = case_id(params);
    if (ids_.insert(id).second) cases_.push_back({std::move(id), device_, params, Regime::burst, limits});
  }

  int device_;
  SamplingLimits limits_;
  std::set<std::string> ids_;
  std::vector<Case> cases_;
  std::size_t repeated_ = 0;
};

constexpr std::array<DType, 3> kCpuDTypes{DType::fp32, DType::bf16, DType::int8};

/// The largest square GEMM that takes at most `limit_s` by the estimate and whose operands fit the memory.
std::int64_t square_size(const Inventory& inventory, double limit_s) {
  constexpr std::array<std::int64_t, 6> kSizes{512, 1024, 2048, 4096, 8192, 16384};
  const double memory_bytes = static_cast<double>(inventory.host.memory_bytes.value_or(1024 * kMiB));
  std::int64_t best = kSizes.front();
  for (const std::int64_t size : kSizes) {
    const double operand_bytes = 3.0 * 4.0 * static_cast<double>(size * size);
    const double time_s =
        flop_count(GemmParams{DType::fp32, size, size, size, 1}) / estimated_flop_per_s(inventory.cpu);
    if (time_s <= limit_s && operand_bytes <= memory_bytes / 8) best = size;
  }
  return best;
}

std::int64_t dram_array_bytes(const Inventory& inventory) {
  const std::int64_t wanted = std::max(kMinDramArrayBytes, kDramOverCache * inventory.cpu.l3_bytes);
  const std::int64_t affordable = inventory.host.memory_bytes.value_or(2048 * kMiB) / kMemoryOverArray;
  return std::min(wanted, affordable) / kCacheLineBytes * kCacheLineBytes;
}

void add_headlines(CaseList& list, const Inventory& inventory, double gemm_s) {
  const std::int64_t size = square_size(inventory, gemm_s);
  list.add_headline(GemmParams{DType::fp32, size, size, size, 1});
  list.add_headline(BandwidthParams{BandwidthKernel::triad, MemoryLevel::dram, dram_array_bytes(inventory)});
  for (const DType dtype : kCpuDTypes) list.add_headline(GemmParams{dtype, size, size, size, 1});
}

void add_memory(CaseList& list, const Inventory& inventory) {
  const std::int64_t dram_bytes = dram_array_bytes(inventory);
  for (const BandwidthKernel kernel :
       {BandwidthKernel::copy, BandwidthKernel::mul, BandwidthKernel::add, BandwidthKernel::read}) {
    list.add(BandwidthParams{kernel, MemoryLevel::dram, dram_bytes});
  }
  const std::int64_t threads = inventory.cpu.threads;
  const auto add_level = [&](MemoryLevel level, std::int64_t cache_bytes) {
    const std::int64_t bytes = cache_bytes / kCacheShare / kTriadArrays;
    const std::int64_t granule = kCacheLineBytes * threads;
    if (bytes >= granule) list.add(BandwidthParams{BandwidthKernel::triad, level, bytes / granule * granule});
  };
  add_level(MemoryLevel::l1, threads * inventory.cpu.l1d_bytes);
  add_level(MemoryLevel::l2, threads * inventory.cpu.l2_bytes);
  add_level(MemoryLevel::l3, inventory.cpu.l3_bytes);
}

/// Square, transformer-like (one layer of a 1 B model: hidden 2048, 8192 inside) and decode (m = 1 to 64) shapes.
void add_gemm_shapes(CaseList& list, const Inventory& inventory) {
  for (const DType dtype : kCpuDTypes) {
    for (const std::int64_t size : {512, 1024, 2048}) {
      if (size <= square_size(inventory, kGemmS)) list.add(GemmParams{dtype, size, size, size, 1});
    }
    list.add(GemmParams{dtype, 256, 2048, 2048, 1});
    list.add(GemmParams{dtype, 256, 8192, 2048, 1});
    list.add(GemmParams{dtype, 256, 2048, 8192, 1});
    for (const std::int64_t m : {1, 4, 16, 64}) list.add(GemmParams{dtype, m, 2048, 2048, 1});
    list.add(GemmParams{dtype, 128, 128, 64, 16});  // attention scores of 16 heads
  }
}

/// What the score is made of: the operations of the networks, those first that cover most for the time they take, as
/// long as the estimate allows. What is left out is estimated from its neighbours (core/operation_times.h).
void add_score_operations(CaseList& list, const Inventory& inventory, ReplayBudget budget) {
  constexpr double kCaseS = 0.1;              // a case takes this long however small it is
  constexpr double kPreparedBytesPerS = 1e9;  // operands are drawn, laid out in several ways and checked
  constexpr double kFlopsPerByte = 20;
  constexpr std::size_t kOfEachType = 4;
  const ComputeTypes types{inventory.cpu.has_bf16 ? DType::bf16 : DType::fp32, DType::fp32};
  const double memory_bytes = static_cast<double>(inventory.host.memory_bytes.value_or(2048 * kMiB));
  const auto cost_s = [&](const OperationParams& params) {
    return kCaseS + operand_bytes(params) / kPreparedBytesPerS +
           flop_count(params) / estimated_flop_per_s(inventory.cpu) * (kReplayLimits.min_samples + 1);
  };
  std::vector<ReplayOperation> candidates;
  for (const WorkloadPrecision precision : {WorkloadPrecision::full, WorkloadPrecision::mixed}) {
    if (precision == WorkloadPrecision::mixed && !inventory.cpu.has_bf16) continue;
    for (const ReplayOperation& each : replay_operations(core_workloads(), precision, types, kFlopsPerByte)) {
      if (operand_bytes(each.params) <= memory_bytes / 8) candidates.push_back(each);
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(), [&](const ReplayOperation& a, const ReplayOperation& b) {
    return a.share / cost_s(a.params) > b.share / cost_s(b.params);
  });
  for (const ReplayOperation& each : most_telling(candidates, budget.cases, kOfEachType)) {
    if (cost_s(each.params) > budget.seconds) continue;
    budget.seconds -= cost_s(each.params);
    list.add_replay(each.params);
  }
}

/// Where the driver did not tell, what it usually leaves: nine tenths.
std::int64_t free_gpu_bytes(const Inventory& inventory, const Device& device) {
  const auto known = inventory.free_memory_bytes.find(device.index);
  if (known != inventory.free_memory_bytes.end()) return known->second;
  return device.memory_bytes.value_or(2048 * kMiB) / 10 * 9;
}

std::vector<Case> plan_gpus(const Inventory& inventory, Profile profile, const std::vector<Case>& around) {
  std::vector<CudaPlanDevice> gpus;
  for (const Device& device : inventory.devices) {
    if (device.kind == DeviceKind::cuda) gpus.push_back({&device, free_gpu_bytes(inventory, device)});
  }
  return plan_cuda(gpus, profile, around);
}

}  // namespace

ProfileRules rules_of(Profile profile, std::size_t devices) {
  constexpr std::size_t kMany = 8;
  constexpr double kStandardS = 90, kStandardOfManyS = 150;
  const double beyond_one = static_cast<double>(std::clamp<std::size_t>(devices, 1, kMany) - 1) / (kMany - 1);
  const double standard_s = kStandardS + beyond_one * (kStandardOfManyS - kStandardS);
  switch (profile) {
    case Profile::quick: return {20, {5, 1000, 20 * kMs, 80 * kMs, kStoredSamples}};
    case Profile::standard: return {standard_s, {5, 1000, 100 * kMs, 250 * kMs, kStoredSamples}};
    case Profile::full: return {600, {10, 2000, 500 * kMs, 1500 * kMs, kMaxStoredSamples}};
  }
  return {};
}

double estimated_flop_per_s(const CpuFacts& cpu) {
  constexpr double kAvx512PerThread = 40e9;
  constexpr double kAvx2PerThread = 25e9;
  constexpr double kOtherPerThread = 5e9;
  const double per_thread = cpu.has_avx512 ? kAvx512PerThread : cpu.has_avx2 ? kAvx2PerThread : kOtherPerThread;
  return per_thread * std::max(1, cpu.threads);
}

std::vector<Case> plan(const Inventory& inventory, Profile profile, const std::optional<double>& soak_s,
                       bool has_network_target) {
  const std::vector<Case> around = host_cases(
      inventory, profile, {dram_array_bytes(inventory), square_size(inventory, kQuickGemmS)}, has_network_target);
  std::vector<Case> all = plan_gpus(inventory, profile, around);
  const bool has_gpu = !all.empty();
  for (Case& planned : peer_cases(inventory.devices, profile)) all.push_back(std::move(planned));
  const SamplingLimits limits = rules_of(profile).limits;
  for (const Device& device : inventory.devices) {
    if (device.kind != DeviceKind::cpu) continue;
    CaseList list(device.index, limits);
    add_headlines(list, inventory, profile == Profile::quick ? kQuickGemmS : kGemmS);
    add_score_operations(list, inventory, replay_budget(profile));
    if (profile != Profile::quick) list.mark_for_repeat();
    add_memory(list, inventory);
    if (profile != Profile::quick) add_gemm_shapes(list, inventory);
    for (Case& planned : list.take()) all.push_back(std::move(planned));
  }
  if (!has_gpu) {
    const auto first_repeat = std::find_if(all.begin(), all.end(), [](const Case& c) { return c.repeat; });
    all.insert(first_repeat, around.begin(), around.end());
  }
  for (Case& planned : sustained_cases(all, inventory.devices, profile, soak_s)) all.push_back(std::move(planned));
  return all;
}

}  // namespace gpuassay
