#include "agent/verdicts_speed.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "agent/sustained_shares.h"
#include "core/gpu_names.h"
#include "core/operations.h"

namespace gpuassay {
namespace {

/// Healthy memory gives 65 % (K80 with ECC) to 93 % of its peak to a triad.
constexpr double kLeastMemoryShare = 0.5;
/// A T4 at its power limit reaches 35 % in half precision; few cards reach less.
constexpr double kLeastGemmShare = 0.2;
/// Boards of one kind differ by a few per cent.
constexpr double kLeastOfTwin = 0.8;
/// A B200 at its power limit was reported to keep 85 %; other cards keep more.
constexpr double kLeastOfBurst = 0.8;

/// The largest share of its peak that a case of the device reaches; empty when none was measured or no peak is known.
template <class Selected>
std::optional<double> best_share(const Result& result, int device, const Selected& selected) {
  std::optional<double> best;
  for (const Measurement& m : result.measurements) {
    if (m.device != device || m.status != CaseStatus::ok || !m.fraction_of_peak || !selected(m.params)) continue;
    best = std::max(best.value_or(0), *m.fraction_of_peak);
  }
  return best;
}

void judge_peak(const Result& result, const Device& device, std::vector<Verdict>& verdicts) {
  const auto say = [&](std::string_view what, const std::optional<double>& share, double least) {
    if (!share || *share >= least) return;
    verdicts.push_back({"below_peak", device.index,
                        fmt::format("GPU {} reaches {:.0f} % of its peak {}; a healthy one reaches {:.0f} % and more",
                                    device.index, 100 * *share, what, 100 * least),
                        "nvidia-smi shows whether something else runs on it; if not, report it to the provider"});
  };
  say("memory bandwidth", best_share(result, device.index, is_triad), kLeastMemoryShare);
  say("arithmetic", best_share(result, device.index, is_square_gemm), kLeastGemmShare);
}

/// The figure of the same case on a device; empty when it was not measured there.
std::optional<double> figure_of(const Result& result, int device, const Measurement& as) {
  for (const Measurement& m : result.measurements) {
    if (m.device == device && m.id == as.id && m.regime == as.regime && m.status == CaseStatus::ok && m.metric)
      return m.metric->value;
  }
  return std::nullopt;
}

/// Against the best of its kind, in the square products and the triad that all devices ran.
void judge_twins(const Result& result, const Device& device, std::vector<Verdict>& verdicts) {
  for (const Measurement& m : result.measurements) {
    if (m.device != device.index || m.status != CaseStatus::ok || !m.metric) continue;
    if (!is_square_gemm(m.params) && !is_triad(m.params)) continue;
    const Device* best = nullptr;
    double most = m.metric->value;
    for (const Device& twin : result.devices) {
      if (!same_kind(twin, device)) continue;
      const auto figure = figure_of(result, twin.index, m);
      if (!figure || *figure <= most) continue;
      best = &twin;
      most = *figure;
    }
    if (best == nullptr || m.metric->value >= kLeastOfTwin * most) continue;
    verdicts.push_back(
        {"slower_than_twin", device.index,
         fmt::format("GPU {} reaches {:.0f} % of GPU {} in {}, and they are of one kind", device.index,
                     100 * m.metric->value / most, best->index, m.id),
         "compare their power limits, temperatures and slots with nvidia-smi -q, then ask the provider"});
    return;
  }
}

/// What a job that lasts hours will not have.
void judge_load(const Result& result, std::vector<Verdict>& verdicts) {
  for (const auto& [sustained, share, same_algorithm] : sustained_shares(result)) {
    const auto device = std::find_if(result.devices.begin(), result.devices.end(),
                                     [&](const Device& each) { return each.index == sustained->device; });
    if (device == result.devices.end() || device->kind != DeviceKind::cuda || share >= kLeastOfBurst || !same_algorithm)
      continue;
    // GPUs behind one switch share its link by design: that is a figure of the report, not a fault of the card.
    const auto* bandwidth = std::get_if<BandwidthParams>(&sustained->params);
    if (bandwidth != nullptr && is_transfer(bandwidth->kernel)) continue;
    verdicts.push_back(
        {"falls_under_load", device->index,
         fmt::format("GPU {} keeps {:.0f} % of its burst in {} under load of {:.0f} s{}", device->index, 100 * share,
                     sustained->id, sustained->seconds_under_load.value_or(0),
                     result.devices.size() > 1 ? ", all GPUs together" : ""),
         "count on that much in long jobs; look at power limit and temperature with nvidia-smi -q, and ask "
         "the provider about the cooling"});
  }
}

}  // namespace

void judge_speed(const Result& result, std::vector<Verdict>& verdicts) {
  for (const Device& device : result.devices) {
    if (device.kind != DeviceKind::cuda) continue;
    // The peak of a vGPU is that of the card it shares.
    if (!device.vgpu) judge_peak(result, device, verdicts);
    judge_twins(result, device, verdicts);
  }
  judge_load(result, verdicts);
}

}  // namespace gpuassay
