#include "agent/plan_collective.h"

#include <algorithm>

#include "agent/plan_units.h"
#include "core/operations.h"

namespace gpuassay {
namespace {

constexpr std::int64_t kKiB = 1024;
constexpr std::int64_t kUsualBytes = 64 * kMiB;
constexpr DType kDType = DType::fp32;  // as nccl-tests has it unless told otherwise: bytes are what counts

/// Means of many calls vary little; few of them make a document of 8 GPUs no longer.
constexpr int kBandwidthStored = 5;
constexpr int kLatencyStored = 15;

SamplingLimits bandwidth_limits(Profile profile) {
  return profile == Profile::full ? SamplingLimits{10, 1000, 200 * kMs, 800 * kMs, kBandwidthStored}
                                  : SamplingLimits{5, 1000, 40 * kMs, 150 * kMs, kBandwidthStored};
}

/// The 99th percentile needs some hundreds of samples, however long they take.
SamplingLimits latency_limits(Profile profile) {
  return profile == Profile::full ? SamplingLimits{500, 2000, 0, 500 * kMs, kLatencyStored}
                                  : SamplingLimits{200, 1000, 0, 200 * kMs, kLatencyStored};
}

class CollectiveCases {
 public:
  CollectiveCases(std::int64_t ranks, std::int64_t least_free_bytes, Profile profile)
      : ranks_(ranks), largest_bytes_(least_free_bytes / 8), profile_(profile) {}

  void add(CollectiveKind kind, std::int64_t wanted_bytes, CollectiveMode mode = CollectiveMode::bandwidth) {
    if (wanted_bytes > largest_bytes_) return;
    // Shares of 16 bytes at least, as nccl-tests aligns them.
    const std::int64_t granule = kind == CollectiveKind::all_reduce ? 16 : 16 * ranks_;
    const std::int64_t bytes = wanted_bytes / granule * granule;
    if (bytes == 0) return;
    const CollectiveParams params{kind, kDType, bytes, ranks_, mode};
    Case planned{case_id(params), std::nullopt, params, Regime::burst,
                 mode == CollectiveMode::bandwidth ? bandwidth_limits(profile_) : latency_limits(profile_)};
    planned.optional = profile_ == Profile::quick;
    cases_.push_back(std::move(planned));
  }

  std::vector<Case> take() { return std::move(cases_); }

 private:
  std::int64_t ranks_, largest_bytes_;
  Profile profile_;
  std::vector<Case> cases_;
};

}  // namespace

std::vector<Case> collective_cases(const std::vector<CudaPlanDevice>& devices, Profile profile) {
  if (devices.size() < 2) return {};
  const auto least = std::min_element(devices.begin(), devices.end(),
                                      [](const auto& a, const auto& b) { return a.free_bytes < b.free_bytes; });
  return collective_cases(static_cast<std::int64_t>(devices.size()), least->free_bytes, profile);
}

std::vector<Case> collective_cases(std::int64_t ranks, std::int64_t least_free_bytes, Profile profile) {
  using enum CollectiveKind;
  CollectiveCases cases(ranks, least_free_bytes, profile);
  cases.add(all_reduce, kUsualBytes);
  cases.add(all_reduce, kLatencyMessageBytes, CollectiveMode::graph);
  if (profile == Profile::quick) return cases.take();
  cases.add(all_reduce, kLatencyMessageBytes, CollectiveMode::plain);
  for (const std::int64_t bytes : {kMiB, 8 * kMiB, 512 * kMiB}) cases.add(all_reduce, bytes);
  for (const CollectiveKind kind : {all_gather, reduce_scatter, all_to_all}) {
    cases.add(kind, kUsualBytes);
    for (const std::int64_t bytes : {kMiB, 8 * kMiB, 512 * kMiB}) {
      if (profile == Profile::full) cases.add(kind, bytes);
    }
  }
  for (const std::int64_t bytes : {4 * kKiB, 64 * kKiB, 256 * kKiB, 1024 * kKiB}) {
    for (const CollectiveMode mode : {CollectiveMode::plain, CollectiveMode::graph}) cases.add(all_reduce, bytes, mode);
  }
  return cases.take();
}

}  // namespace gpuassay
