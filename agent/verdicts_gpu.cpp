#include "agent/verdicts_gpu.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "agent/chosen_library.h"
#include "core/gpu_names.h"
#include "core/stats.h"

namespace gpuassay {
namespace {

/// Shares of the time under load in which a slowdown was seen. A board that is well cooled shows none; one reading at
/// the end of a long load may be chance. Power is capped for moments on many a healthy board.
constexpr double kThrottledShare = 0.02;
constexpr double kPowerCappedShare = 0.05;
/// A limit this much below the board's own was set by somebody.
constexpr double kLoweredLimit = 0.98;

/// A GPU of one's own repeats operations of a millisecond within a few per cent at its full clock.
constexpr double kLongOperationNs = 1e6, kSpreadOfShared = 0.08, kSpreadShare = 0.25;
constexpr std::size_t kFewestSpread = 3;

/// NVML's reasons, as telemetry names them, that stand for heat and hardware protection.
constexpr std::array<std::string_view, 4> kSlowdowns{"hw_slowdown", "sw_thermal_slowdown", "hw_thermal_slowdown",
                                                     "hw_power_brake_slowdown"};
constexpr std::string_view kPowerCap = "sw_power_cap";

/// What the watched cases of one device add up to.
struct Load {
  double seconds = 0;                          ///< under load with event reasons read
  std::map<std::string, double> reason_s;      ///< seconds of each reason
  std::optional<double> slowest_sm_clock_mhz;  ///< lowest reading

  [[nodiscard]] double share(std::string_view reason) const {
    const auto found = reason_s.find(std::string(reason));
    // Readings stand for the time around them: their sum may pass the case's own by one interval.
    return found == reason_s.end() || seconds <= 0 ? 0 : std::min(1.0, found->second / seconds);
  }
};

Load load_of(const Result& result, int device) {
  Load load;
  for (const Measurement& m : result.measurements) {
    if (m.device != device || !m.telemetry || !m.telemetry->gpu || !m.seconds_under_load) continue;
    const GpuTelemetry& gpu = *m.telemetry->gpu;
    if (!gpu.event_reasons_s) continue;
    load.seconds += *m.seconds_under_load;
    for (const auto& [reason, seconds] : *gpu.event_reasons_s) load.reason_s[reason] += seconds;
    if (!gpu.sm_clock_min_mhz) continue;
    load.slowest_sm_clock_mhz =
        std::min(load.slowest_sm_clock_mhz.value_or(*gpu.sm_clock_min_mhz), *gpu.sm_clock_min_mhz);
  }
  return load;
}

std::string clock_text(const Load& load, const Device& device) {
  if (!load.slowest_sm_clock_mhz || !device.limits || !device.limits->max_sm_clock_mhz) return {};
  return fmt::format(", SM clock down to {:.0f} of {:.0f} MHz", *load.slowest_sm_clock_mhz,
                     *device.limits->max_sm_clock_mhz);
}

void judge_throttling(const Device& device, const Load& load, std::vector<Verdict>& verdicts) {
  std::vector<std::string> seen;
  for (const std::string_view reason : kSlowdowns) {
    if (load.share(reason) < kThrottledShare) continue;
    seen.push_back(fmt::format("{} {:.0f} %", reason, 100 * load.share(reason)));
  }
  if (seen.empty()) return;
  verdicts.push_back({"throttled", device.index,
                      fmt::format("GPU {} was slowed down under load ({} of the time{})", device.index,
                                  fmt::join(seen, ", "), clock_text(load, device)),
                      "cooling or power supply does not keep up; report it to the provider or take another machine"});
}

void judge_power(const Device& device, const Load& load, std::vector<Verdict>& verdicts) {
  const double share = load.share(kPowerCap);
  if (share < kPowerCappedShare) return;
  const auto limit = device.limits ? device.limits->power_limit_w : std::nullopt;
  const auto own = device.limits ? device.limits->default_power_limit_w : std::nullopt;
  std::string remedy = "this is the board's own limit: nothing to repair, its datasheet peaks are out of reach";
  if (limit && own && *limit < kLoweredLimit * *own) {
    remedy = fmt::format(
        "the limit is set below the board's {:.0f} W; raise it with nvidia-smi -pl {:.0f} where you may", *own, *own);
  }
  verdicts.push_back(
      {"power_capped", device.index,
       fmt::format("GPU {} ran into its power limit{} ({} {:.0f} % of the time under load{})", device.index,
                   limit ? fmt::format(" of {:.0f} W", *limit) : "", kPowerCap, 100 * share, clock_text(load, device)),
       remedy});
}

/// Long operations of a device whose figures spread though no event reason slowed it: somebody else takes turns with
/// us.
void judge_neighbour(const Result& result, const Device& device, const Load& load, std::vector<Verdict>& verdicts) {
  const bool slowed = std::any_of(kSlowdowns.begin(), kSlowdowns.end(),
                                  [&](std::string_view reason) { return load.share(reason) >= kThrottledShare; });
  if (load.seconds <= 0 || slowed || load.share(kPowerCap) >= kPowerCappedShare) return;
  std::size_t spread = 0, judged = 0;
  for (const Measurement& m : result.measurements) {
    const auto* bandwidth = std::get_if<BandwidthParams>(&m.params);
    const bool over_link = bandwidth != nullptr && is_transfer(bandwidth->kernel);
    if (m.device != device.index || m.status != CaseStatus::ok || over_link) continue;
    if (m.median_ns.value_or(0) < kLongOperationNs) continue;
    ++judged;
    // Not the noise: it vanishes when most samples are of one of two speeds.
    if (relative_half_iqr(m.samples_ns) > kSpreadOfShared) ++spread;
  }
  if (spread < kFewestSpread || static_cast<double>(spread) < kSpreadShare * static_cast<double>(judged)) return;
  verdicts.push_back(
      {"shared_gpu", device.index,
       fmt::format(
           "{} of {} long operations of GPU {} spread by more than {:.0f} %, and neither heat nor power slowed it: "
           "somebody else seems to use it too",
           spread, judged, device.index, 100 * kSpreadOfShared),
       "nvidia-smi may show whose processes; if there are none of yours, ask the provider whether the GPU is shared"});
}

/// Whether the link was looked at while copies ran: at rest its generation falls and says nothing, its width stays.
bool link_seen_busy(const Result& result, int device) {
  return std::any_of(result.measurements.begin(), result.measurements.end(), [device](const Measurement& m) {
    const auto* bandwidth = std::get_if<BandwidthParams>(&m.params);
    return m.device == device && bandwidth != nullptr && is_transfer(bandwidth->kernel) && m.status == CaseStatus::ok &&
           m.telemetry && m.telemetry->gpu && m.telemetry->gpu->pcie_generation;
  });
}

void judge_link(const Result& result, const Device& device, std::vector<Verdict>& verdicts) {
  if (!device.pci) return;
  const Pci& link = *device.pci;
  std::vector<std::string> lacks;
  if (link.width && link.max_width && *link.width < *link.max_width) {
    lacks.push_back(fmt::format("{} of its {} PCIe lanes", *link.width, *link.max_width));
  }
  if (link.generation && link.max_generation && *link.generation < *link.max_generation &&
      link_seen_busy(result, device.index)) {
    lacks.push_back(fmt::format("generation {} of {} under load", *link.generation, *link.max_generation));
  }
  // What NVML calls the highest is of GPU and slot together: the board alone may have more.
  const std::vector<const GpuSpec*> boards = specs_called(device.name);
  const auto board = boards.empty() ? std::nullopt : boards.front()->pcie_generation;
  if (link.max_generation && board && *link.max_generation < *board)
    lacks.push_back(fmt::format("a slot of PCIe generation {}, where the board has {}", *link.max_generation, *board));
  if (lacks.empty()) return;
  verdicts.push_back(
      {"slow_link", device.index,
       fmt::format("GPU {} has {}: transfers are that much slower", device.index, fmt::join(lacks, " and ")),
       "the slot, the riser or the virtual machine gives no more; ask the provider"});
}

/// A workload without the libraries that do it.
struct NeedsLibrary {
  Workload workload;
  std::string_view what;
  std::string_view library;
  std::array<std::string_view, 2> any_of;  ///< `libraries[]` names, one of which suffices
};

bool lacks_library(const Result& result, const Device& device, const NeedsLibrary& needs) {
  const auto of_it = [&](const Measurement& m) { return m.device == device.index && m.workload == needs.workload; };
  const bool planned = std::any_of(result.measurements.begin(), result.measurements.end(), of_it);
  const bool all_skipped =
      std::all_of(result.measurements.begin(), result.measurements.end(),
                  [&](const Measurement& m) { return !of_it(m) || m.status == CaseStatus::skipped; });
  const bool none_chosen = std::all_of(needs.any_of.begin(), needs.any_of.end(), [&](std::string_view name) {
    return chosen_library(result.libraries, name, device) == nullptr;
  });
  return planned && all_skipped && none_chosen;
}

/// One verdict for all GPUs that lack the same.
void judge_libraries(const Result& result, std::vector<Verdict>& verdicts) {
  constexpr NeedsLibrary kNeeds[] = {{Workload::gemm, "matrix multiplication", "cuBLAS", {"cublas", "cublaslt"}},
                                     {Workload::conv, "convolution", "cuDNN", {"cudnn", "cudnn"}}};
  for (const NeedsLibrary& needs : kNeeds) {
    std::vector<int> lacking;
    for (const Device& device : result.devices) {
      if (device.kind == DeviceKind::cuda && lacks_library(result, device, needs)) lacking.push_back(device.index);
    }
    if (lacking.empty()) continue;
    verdicts.push_back({"library_missing", lacking.size() == 1 ? std::optional(lacking.front()) : std::nullopt,
                        fmt::format("no {} was measured on GPU {}: no {} here fits it", needs.what,
                                    fmt::join(lacking, ", "), needs.library),
                        "gpuassay doctor names the package"});
  }
}

}  // namespace

void judge_gpus(const Result& result, std::vector<Verdict>& verdicts) {
  judge_libraries(result, verdicts);
  for (const Device& device : result.devices) {
    if (device.kind != DeviceKind::cuda) continue;
    const Load load = load_of(result, device.index);
    judge_throttling(device, load, verdicts);
    judge_power(device, load, verdicts);
    judge_neighbour(result, device, load, verdicts);
    judge_link(result, device, verdicts);
  }
}

}  // namespace gpuassay
