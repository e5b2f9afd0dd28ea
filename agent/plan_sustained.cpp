#include "agent/plan_sustained.h"

#include <algorithm>

#include "agent/plan_units.h"
#include "agent/steady_rule.h"
#include "core/operations.h"

namespace gpuassay {
namespace {

/// A GPU's power management takes a second or two, its heat minutes: those are for a soak. A CPU has less to settle,
/// and less time left of its profile.
constexpr std::int64_t kGpuLoadNs = 7'000 * kMs, kCpuLoadNs = 5'000 * kMs;
constexpr int kSustainedStored = 6;

bool is_convolution(const OperationParams& params) { return std::holds_alternative<ConvParams>(params); }

}  // namespace

std::vector<Case> sustained_cases(const std::vector<Case>& cases, const std::vector<Device>& devices, Profile profile,
                                  const std::optional<double>& soak_s) {
  std::vector<Case> sustained;
  const auto gpus = std::count_if(devices.begin(), devices.end(),
                                  [](const Device& device) { return device.kind == DeviceKind::cuda; });
  const auto add_first = [&](const Device& device, bool (*wanted)(const OperationParams&), std::int64_t longest_ns,
                             bool asked_for = false) {
    const auto first = std::find_if(cases.begin(), cases.end(), [&](const Case& planned) {
      return planned.device == device.index && wanted(planned.params);
    });
    if (first == cases.end()) return;
    Case again = *first;
    again.regime = Regime::sustained;
    again.limits = {1, 0, 0, longest_ns, kSustainedStored};
    again.optional = !asked_for;
    again.gpu_telemetry = device.kind == DeviceKind::cuda;
    sustained.push_back(std::move(again));
  };
  for (const Device& device : devices) {
    const bool is_gpu = device.kind == DeviceKind::cuda;
    const std::int64_t longest_ns = is_gpu ? kGpuLoadNs / gpus : kCpuLoadNs;
    constexpr auto kNeededNs = static_cast<std::int64_t>(SteadyRule::kAgreeing) * SteadyRule::kShortestWindowNs;
    const bool settles = profile != Profile::quick && longest_ns >= kNeededNs;
    if (soak_s) {
      add_first(device, is_square_gemm, static_cast<std::int64_t>(*soak_s * 1e9), true);
    } else if (settles) {
      add_first(device, is_square_gemm, longest_ns);
    }
    if (settles && is_gpu) add_first(device, is_convolution, longest_ns);
    if (settles) add_first(device, is_triad, longest_ns);
  }
  return sustained;
}

}  // namespace gpuassay
