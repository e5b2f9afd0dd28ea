#include "agent/plan_probe.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "agent/plan_units.h"
#include "core/operations.h"

namespace gpuassay {
namespace {

constexpr int kProbeStored = 16;
/// Three of them are 2 s.
constexpr SamplingLimits kProbeLimits{5, 1000, 500 * kMs, 667 * kMs, kProbeStored};

bool is_pinned(const OperationParams& params, BandwidthKernel kernel) {
  const auto* transfer = std::get_if<BandwidthParams>(&params);
  return transfer != nullptr && transfer->kernel == kernel && transfer->level == MemoryLevel::pinned;
}
bool is_upload(const OperationParams& params) { return is_pinned(params, BandwidthKernel::h2d); }
bool is_download(const OperationParams& params) { return is_pinned(params, BandwidthKernel::d2h); }
bool is_link(const OperationParams& params) { return is_upload(params) || is_download(params); }

using Kind = bool (*)(const OperationParams& params);

std::optional<OperationParams> fastest_of(const Result& earlier, int device, Kind wanted) {
  const Measurement* fastest = nullptr;
  for (const Measurement& each : earlier.measurements) {
    const bool counts = each.device == device && each.regime == Regime::burst && each.status == CaseStatus::ok &&
                        each.metric && wanted(each.params);
    if (counts && (fastest == nullptr || each.metric->value > fastest->metric->value)) fastest = &each;
  }
  return fastest == nullptr ? std::nullopt : std::optional(fastest->params);
}

std::optional<OperationParams> first_of(const std::vector<Case>& planned, int device, Kind wanted) {
  const auto first = std::find_if(planned.begin(), planned.end(), [&](const Case& each) {
    return each.device == device && each.regime == Regime::burst && wanted(each.params);
  });
  return first == planned.end() ? std::nullopt : std::optional(first->params);
}

}  // namespace

std::vector<Case> probe_choice(const std::vector<Case>& planned, const std::vector<Device>& devices,
                               const Result* earlier) {
  std::vector<Case> choice;
  for (const Device& device : devices) {
    for (const Kind kind : {is_square_gemm, is_triad, is_upload, is_download}) {
      std::optional<OperationParams> params;
      if (earlier != nullptr) params = fastest_of(*earlier, device.index, kind);
      if (!params) params = first_of(planned, device.index, kind);
      if (!params) continue;
      Case probe{case_id(*params), device.index, *params, Regime::burst, kProbeLimits};
      probe.gpu_telemetry = device.kind == DeviceKind::cuda;
      choice.push_back(std::move(probe));
    }
  }
  return choice;
}

std::vector<Case> draw_probe(const std::vector<Case>& choice, const DrawBelow& below) {
  std::set<int> indices;
  for (const Case& each : choice) {
    if (each.device) indices.insert(*each.device);
  }
  std::vector<int> devices(indices.begin(), indices.end());
  const int device = devices.at(below(devices.size()));
  std::vector<Case> probe, links;
  for (const Case& each : choice) {
    if (each.device == device) (is_link(each.params) ? links : probe).push_back(each);
  }
  if (!links.empty()) probe.push_back(links[below(links.size())]);
  for (std::size_t left = probe.size(); left > 1; --left) std::swap(probe[left - 1], probe[below(left)]);
  return probe;
}

const Measurement* same_measurement(const Result& earlier, const Case& planned) {
  const auto same =
      std::find_if(earlier.measurements.begin(), earlier.measurements.end(), [&](const Measurement& each) {
        return each.device == planned.device && each.regime == planned.regime && each.params == planned.params &&
               each.status == CaseStatus::ok && each.metric && !each.samples_ns.empty();
      });
  return same == earlier.measurements.end() ? nullptr : &*same;
}

}  // namespace gpuassay
