#include "agent/report_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/report_group.h"
#include "agent/report_host.h"
#include "agent/report_peers.h"
#include "agent/sustained_shares.h"
#include "core/enums.h"
#include "core/operations.h"

namespace gpuassay {
namespace {

using Figures = std::map<std::string, RegimeValues>;
using Words = std::vector<std::string>;
using Selector = std::function<bool(const Measurement&)>;

constexpr std::string_view kDtypes[] = {"fp64", "fp32", "tf32",     "fp16", "fp16_acc16",
                                        "bf16", "int8", "fp8_e4m3", "fp4"};
/// Formats whose GEMM may stand for the device; narrower ones are faster but serve few programs.
constexpr std::string_view kHeadlineDtypes[] = {"fp64", "fp32", "tf32", "fp16", "bf16"};
constexpr std::string_view kMemoryNames[] = {"triad", "copy", "read", "write", "gather", "l1", "l2", "l3"};
constexpr std::string_view kTransferNames[] = {"h2d", "d2h", "bidirectional"};

struct Line {
  Words words, notes;
};

Words words_of(const Figures& figures, std::span<const std::string_view> names) {
  Words words;
  for (const std::string_view name : names) {
    if (const auto figure = figure_of(figures, name)) {
      words.push_back(fmt::format("{} {}", name, short_number(*figure)));
    }
  }
  return words;
}

Words latency_words(const Figures& figures) {
  Words words;
  for (const std::string kind : {"kernel", "graph"}) {
    if (const auto figure = figure_of(figures, kind + "_launch")) {
      words.push_back(fmt::format("{} launch {}", kind, short_number(*figure)));
    }
  }
  return words;
}

Selector of_workload(Workload workload) {
  return [workload](const Measurement& m) { return m.workload == workload; };
}

/// Bandwidth cases that are transfers, or those that are not; copies between devices are neither.
Selector of_bandwidth(bool transfers) {
  return [transfers](const Measurement& m) {
    const auto* bandwidth = std::get_if<BandwidthParams>(&m.params);
    return bandwidth != nullptr && is_transfer(bandwidth->kernel) == transfers && !bandwidth->peer;
  };
}

Selector square_gemm_in(const std::string& dtype) {
  return [dtype](const Measurement& m) {
    return is_square_gemm(m.params) && to_name(std::get<GemmParams>(m.params).dtype) == dtype;
  };
}

/// The median noise of the selected ok cases: how far their figures can be trusted.
std::optional<double> typical_noise(const Result& result, const Selector& selected) {
  std::vector<double> noises;
  for (const Measurement& m : result.measurements) {
    if (m.device && selected(m) && m.status == CaseStatus::ok && m.noise) noises.push_back(*m.noise);
  }
  if (noises.empty()) return std::nullopt;
  std::nth_element(noises.begin(), noises.begin() + static_cast<std::ptrdiff_t>(noises.size() / 2), noises.end());
  return noises[noises.size() / 2];
}

/// What the fastest of the selected cases reaches of its peak; of several devices the lowest.
std::optional<double> peak_share(const Result& result, const Selector& selected) {
  std::map<std::optional<int>, const Measurement*> fastest;
  for (const Measurement& m : result.measurements) {
    if (!m.device || !selected(m) || m.status != CaseStatus::ok || !m.metric) continue;
    const Measurement*& best = fastest[m.device];
    if (best == nullptr || m.metric->value > best->metric->value) best = &m;
  }
  std::optional<double> lowest;
  for (const auto& [device, m] : fastest) {
    if (!m->fraction_of_peak) return std::nullopt;
    lowest = std::min(lowest.value_or(*m->fraction_of_peak), *m->fraction_of_peak);
  }
  return lowest;
}

/// The headline format with the fastest GEMM; empty when there is none.
std::string headline_dtype(const DeviceSummary& summary) {
  std::string best;
  for (const std::string_view dtype : kHeadlineDtypes) {
    const auto figure = figure_of(summary.gemm_tflop_per_s, dtype);
    if (figure && (best.empty() || *figure > *figure_of(summary.gemm_tflop_per_s, best))) best = dtype;
  }
  return best;
}

/// "triad 81 % of peak"
std::optional<std::string> share_text(const std::string& name, const std::optional<double>& share) {
  if (!share) return std::nullopt;
  return fmt::format("{} {:.0f} % of peak", name, 100 * *share);
}

/// Devices that a compute case was measured on.
std::set<int> computing_devices(const Result& result) {
  std::set<int> devices;
  for (const Measurement& m : result.measurements) {
    if (m.workload == Workload::compute && m.status == CaseStatus::ok && m.metric && m.device)
      devices.insert(*m.device);
  }
  return devices;
}

/// The figures of our own kernels by unit, summed over `devices`; the summary keeps the faster unit only.
Words compute_words(const Result& result, const std::set<int>& devices) {
  Words words;
  for (const ComputeUnit unit : {ComputeUnit::fma, ComputeUnit::mma}) {
    bool first = true;
    for (const std::string_view dtype : kDtypes) {
      std::map<int, double> fastest;
      for (const Measurement& m : result.measurements) {
        const auto* compute = std::get_if<ComputeParams>(&m.params);
        if (compute == nullptr || compute->unit != unit || to_name(compute->dtype) != dtype) continue;
        if (m.device && devices.contains(*m.device) && m.status == CaseStatus::ok && m.metric) {
          fastest[*m.device] = std::max(fastest[*m.device], m.metric->value);
        }
      }
      double sum = 0;
      for (const auto& [device, value] : fastest) sum += value;
      if (fastest.empty() || fastest.size() < devices.size()) continue;
      words.push_back(
          fmt::format("{}{} {}", first ? fmt::format("{}: ", to_name(unit)) : "", dtype, short_number(sum)));
      first = false;
    }
  }
  return words;
}

/// Of all devices, or where only some ran those cases of the first that did.
Line compute_line(const Result& result) {
  std::set<int> devices = computing_devices(result);
  Words notes{"our own kernels"};
  if (!devices.empty() && devices.size() < result.devices.size()) {
    devices = {*devices.begin()};
    notes.push_back(fmt::format("device {} alone", *devices.begin()));
  }
  return {compute_words(result, devices), std::move(notes)};
}

/// "PCIe gen 4 x16". A link at rest runs at a lower generation, never at a lower width: so the highest generation and
/// the present width. Empty when unknown or not the same for all.
std::optional<std::string> link_text(const Result& result) {
  std::set<std::string> links;
  for (const Device& device : result.devices) {
    if (!device.pci || !device.pci->width) return std::nullopt;
    const auto generation = device.pci->max_generation ? device.pci->max_generation : device.pci->generation;
    if (!generation) return std::nullopt;
    links.insert(fmt::format("PCIe gen {} x{}", *generation, *device.pci->width));
  }
  return links.size() == 1 ? std::optional(*links.begin()) : std::nullopt;
}

Words noted(const std::optional<std::string>& note) { return note ? Words{*note} : Words{}; }

/// The instance's figures; where it has none because not every device ran those cases, the first device's that did.
template <class MakeWords>
Line line_of(const Summary& summary, const MakeWords& make_words, Words notes) {
  Words words = make_words(summary.instance);
  for (auto device = summary.devices.begin(); words.empty() && device != summary.devices.end(); ++device) {
    words = make_words(*device);
    if (!words.empty()) notes.push_back(fmt::format("device {} alone", device->device.value_or(0)));
  }
  return {std::move(words), std::move(notes)};
}

/// "gemm fp16", "triad"; empty for what is not kept under load.
std::string load_name(const OperationParams& params) {
  if (const auto* gemm = std::get_if<GemmParams>(&params)) return fmt::format("gemm {}", to_name(gemm->dtype));
  if (const auto* conv = std::get_if<ConvParams>(&params)) return fmt::format("conv {}", to_name(conv->dtype));
  if (const auto* bandwidth = std::get_if<BandwidthParams>(&params)) return std::string(to_name(bandwidth->kernel));
  return {};
}

/// What is left of each burst under load without a pause, of the device that keeps least.
void add_sustained_line(TextPage& page, const Result& result) {
  Words words, notes;
  std::map<std::string, double> shares;
  double longest_s = 0;
  bool all_steady = true;
  for (const SustainedShare& each : sustained_shares(result)) {
    const auto [place, is_new] = shares.emplace(load_name(each.sustained->params), each.share);
    place->second = std::min(place->second, each.share);
    longest_s = std::max(longest_s, each.sustained->seconds_under_load.value_or(0));
    all_steady = all_steady && each.sustained->steady_reached.value_or(false);
  }
  for (const auto& [name, share] : shares) words.push_back(fmt::format("{} {:.0f} %", name, 100 * share));
  if (words.empty()) {
    const bool tried = std::any_of(result.measurements.begin(), result.measurements.end(),
                                   [](const Measurement& m) { return m.regime == Regime::sustained; });
    if (!tried) page.prose("sustained", "not measured in this run; --soak 60 does");
    return;
  }
  if (result.devices.size() > 1) notes.push_back(fmt::format("all {} together", result.devices.size()));
  notes.push_back(all_steady ? fmt::format("steady within {:.0f} s", longest_s)
                             : fmt::format("not steady after {:.0f} s", longest_s));
  add_figure_line(page, "sustained", words, "of burst", notes, std::nullopt);
}

/// "fp16 78.7 to 112.0, median 112.0, spread 30 %": of the figures that stand in the lines of the devices.
void add_spread_lines(TextPage& page, const Result& result, const std::string& dtype) {
  std::string_view label = "devices";
  for (const auto& [figure, name] : {std::pair{"gemm_tflop_per_s." + dtype, dtype},
                                     {std::string("bandwidth_gb_per_s.triad"), std::string("triad")},
                                     {std::string("bandwidth_gb_per_s.h2d"), std::string("h2d")}}) {
    for (const DeviceSpread& each : result.summary.across_devices) {
      if (each.figure != figure + ".burst") continue;
      page.line(std::exchange(label, ""),
                {fmt::format("{} {} to {}", name, short_number(each.min), short_number(each.max)),
                 fmt::format("median {}", short_number(each.median)), fmt::format("spread {:.1f} %", 100 * each.spread),
                 fmt::format("(slowest: device {})", each.slowest_device)});
    }
  }
}

void add_device_lines(TextPage& page, const Result& result) {
  if (result.summary.devices.size() < 2) return;
  for (const DeviceSummary& summary : result.summary.devices) {
    const int index = summary.device.value_or(0);
    Words words;
    for (const DeviceScore& score : result.score.per_device) {
      if (score.device == index && score.value) words.push_back("score " + short_number(*score.value));
    }
    const std::string dtype = headline_dtype(summary);
    const auto add = [&words](const Figures& figures, const std::string& name, std::string_view unit) {
      if (const auto figure = figure_of(figures, name)) {
        words.push_back(fmt::format("{} {} {}", name, short_number(*figure), unit));
      }
    };
    add(summary.gemm_tflop_per_s, dtype, "TFLOP/s");
    add(summary.bandwidth_gb_per_s, "triad", "GB/s");
    add(summary.bandwidth_gb_per_s, "h2d", "GB/s");
    page.line(fmt::format("device {}", index), words.empty() ? Words{"nothing measured"} : words);
  }
}

}  // namespace

std::string short_number(double value) {
  if (value >= 1000) return fmt::format("{:.0f}", value);
  std::string text = fmt::format("{:#.3g}", value);
  if (text.find('e') != std::string::npos) text = fmt::format("{:.8f}", value);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::optional<double> figure_of(const std::map<std::string, RegimeValues>& figures, std::string_view name) {
  const auto found = figures.find(std::string(name));
  if (found == figures.end()) return std::nullopt;
  return found->second.burst;  // what quick has as well: burst is compared with burst
}

void add_figure_line(TextPage& page, std::string_view label, std::vector<std::string> words, std::string_view unit,
                     std::vector<std::string> notes, const std::optional<double>& noise) {
  if (words.empty()) return;
  words.back() += fmt::format(" {}", unit);
  if (noise) notes.push_back(fmt::format("noise {:.1f} %", 100 * *noise));
  if (!notes.empty()) words.push_back(fmt::format("({})", fmt::join(notes, ", ")));
  page.line(label, words);
}

void add_figure_lines(TextPage& page, const Result& result) {
  const auto add = [&](std::string_view label, std::string_view unit, const auto& words, Words notes,
                       const Selector& cases) {
    const Line line = line_of(result.summary, words, std::move(notes));
    add_figure_line(page, label, line.words, unit, line.notes, typical_noise(result, cases));
  };
  const std::string dtype = headline_dtype(result.summary.instance);
  add(
      "gemm", "TFLOP/s", [](const DeviceSummary& of) { return words_of(of.gemm_tflop_per_s, kDtypes); },
      noted(share_text(dtype, peak_share(result, square_gemm_in(dtype)))), of_workload(Workload::gemm));
  add(
      "conv", "TFLOP/s", [](const DeviceSummary& of) { return words_of(of.conv_tflop_per_s, kDtypes); }, {},
      of_workload(Workload::conv));
  const Line compute = compute_line(result);
  add_figure_line(page, "compute", compute.words, "TFLOP/s", compute.notes,
                  typical_noise(result, of_workload(Workload::compute)));
  add(
      "memory", "GB/s", [](const DeviceSummary& of) { return words_of(of.bandwidth_gb_per_s, kMemoryNames); },
      noted(share_text("triad", peak_share(result, [](const Measurement& m) { return is_triad(m.params); }))),
      of_bandwidth(false));
  add(
      "transfer", "GB/s", [](const DeviceSummary& of) { return words_of(of.bandwidth_gb_per_s, kTransferNames); },
      noted(link_text(result)), of_bandwidth(true));
  add(
      "latency", "us", [](const DeviceSummary& of) { return latency_words(of.latency_us); }, {},
      of_workload(Workload::latency));
  add_peer_lines(page, result);
  add_rank_line(page, result);
  add_collective_lines(page, result);
  add_sustained_line(page, result);
  add_host_lines(page, result);
  add_device_lines(page, result);
  add_spread_lines(page, result, dtype);
}

}  // namespace gpuassay
