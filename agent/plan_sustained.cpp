#include "agent/plan_sustained.h"

#include <algorithm>

#include "agent/plan_units.h"
#include "core/gpu_names.h"
#include "core/operations.h"

namespace gpuassay {
namespace {

/// A GPU's power management takes a second or two, its heat minutes: those are for a soak. A CPU has less to settle,
/// and less time left of its profile.
constexpr std::int64_t kGpuLoadNs = 7'000 * kMs, kCpuLoadNs = 5'000 * kMs;
/// Transfers heat nothing: they show what the GPUs share of the host.
constexpr std::int64_t kTransferLoadNs = 4'000 * kMs;
constexpr int kSustainedStored = 6;

using Wanted = bool (*)(const OperationParams&);

bool is_convolution(const OperationParams& params) { return std::holds_alternative<ConvParams>(params); }
bool is_pinned_upload(const OperationParams& params) {
  const auto* transfer = std::get_if<BandwidthParams>(&params);
  return transfer != nullptr && transfer->kernel == BandwidthKernel::h2d && transfer->level == MemoryLevel::pinned;
}

/// The device's own first case of that sort, or that of its twin, which ran it for both; null where there is none.
const Case* first_case(const std::vector<Case>& cases, const std::vector<Device>& devices, const Device& device,
                       Wanted wanted) {
  const auto first_of = [&](int index) {
    const auto found = std::find_if(cases.begin(), cases.end(),
                                    [&](const Case& each) { return each.device == index && wanted(each.params); });
    return found == cases.end() ? nullptr : &*found;
  };
  if (const Case* own = first_of(device.index)) return own;
  for (const Device& twin : devices) {
    if (!same_kind(twin, device)) continue;
    if (const Case* of_twin = first_of(twin.index)) return of_twin;
  }
  return nullptr;
}

/// The loads of one plan, each as one case or as one group.
class Loads {
 public:
  Loads(const std::vector<Case>& cases, const std::vector<Device>& devices) : cases_(cases), devices_(devices) {}

  /// The first such case of every device of this kind at the same time.
  void add(DeviceKind kind, Wanted wanted, std::int64_t longest_ns, bool is_optional) {
    std::vector<Case> together;
    for (const Device& device : devices_) {
      if (device.kind != kind) continue;
      const Case* const first = first_case(cases_, devices_, device, wanted);
      if (first == nullptr) continue;
      Case load = *first;
      load.device = device.index;
      load.regime = Regime::sustained;
      load.limits = {1, 0, 0, longest_ns, kSustainedStored};
      load.repeat = false;
      load.optional = is_optional;
      load.gpu_telemetry = kind == DeviceKind::cuda;
      together.push_back(std::move(load));
    }
    if (together.size() > 1) {
      ++groups_;
      for (Case& load : together) {
        load.group = groups_;
        load.limits.min_time_ns = longest_ns;  // one that rests would leave the others more than their share
      }
    }
    loads_.insert(loads_.end(), together.begin(), together.end());
  }
  std::vector<Case> take() { return std::move(loads_); }

 private:
  const std::vector<Case>& cases_;
  const std::vector<Device>& devices_;
  std::vector<Case> loads_;
  int groups_ = 0;
};

}  // namespace

std::vector<Case> sustained_cases(const std::vector<Case>& cases, const std::vector<Device>& devices, Profile profile,
                                  const std::optional<double>& soak_s) {
  constexpr double kNsPerS = 1e9;
  Loads loads(cases, devices);
  const bool settles = profile != Profile::quick;
  const auto gpus = std::count_if(devices.begin(), devices.end(),
                                  [](const Device& device) { return device.kind == DeviceKind::cuda; });
  for (const DeviceKind kind : {DeviceKind::cuda, DeviceKind::cpu}) {
    const bool is_gpu = kind == DeviceKind::cuda;
    const std::int64_t longest_ns = is_gpu ? kGpuLoadNs : kCpuLoadNs;
    if (soak_s) {
      loads.add(kind, is_square_gemm, static_cast<std::int64_t>(*soak_s * kNsPerS), false);
    } else if (settles) {
      loads.add(kind, is_square_gemm, longest_ns, true);
    }
    if (settles && is_gpu) loads.add(kind, is_convolution, longest_ns, true);
    if (settles) loads.add(kind, is_triad, longest_ns, true);
    if (settles && is_gpu && gpus > 1) loads.add(kind, is_pinned_upload, kTransferLoadNs, true);
  }
  return loads.take();
}

}  // namespace gpuassay
