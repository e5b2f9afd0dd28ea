#include "agent/report_energy.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "agent/report_figures.h"
#include "core/enums.h"
#include "core/operations.h"
#include "core/unit_energies.h"

namespace gpuassay {
namespace {

/// The figure per watt of the fastest selected case with a known power, of all GPUs together: of those kept under load
/// where there are such. `unit` gets the figure's.
std::optional<double> per_watt(const Result& result, bool (*selected)(const OperationParams&), Regime regime,
                               const Measurement*& shown) {
  double figure = 0;
  double power_w = 0;
  for (const Device& device : result.devices) {
    const Measurement* best = nullptr;
    for (const Measurement& m : result.measurements) {
      if (m.device != device.index || m.regime != regime || m.status != CaseStatus::ok || !m.metric) continue;
      if (!selected(m.params) || power_of(m).value_or(0) <= 0) continue;
      if (best == nullptr || m.metric->value > best->metric->value) best = &m;
    }
    if (best == nullptr) return std::nullopt;
    figure += best->metric->value;
    power_w += *power_of(*best);
    shown = best;
  }
  return power_w > 0 ? std::optional(figure / power_w) : std::nullopt;
}

void add_words(const Result& result, bool (*selected)(const OperationParams&), std::vector<std::string>& words) {
  const Measurement* shown = nullptr;
  auto figure = per_watt(result, selected, Regime::sustained, shown);
  if (!figure) figure = per_watt(result, selected, Regime::burst, shown);
  if (!figure) return;
  const auto* gemm = std::get_if<GemmParams>(&shown->params);
  words.push_back(fmt::format("{} {} {}", gemm != nullptr ? fmt::format("gemm {}", to_name(gemm->dtype)) : "triad",
                              short_number(*figure), shown->metric->unit));
}

}  // namespace

void add_energy_line(TextPage& page, const Result& result) {
  std::vector<std::string> words;
  add_words(result, is_square_gemm, words);
  add_words(result, is_triad, words);
  if (words.empty()) return;
  const auto power_w = power_under_load_w(result.devices, result.measurements);
  words.push_back(power_w ? fmt::format("(at {:.0f} W under sustained load)", *power_w) : "(in short cases)");
  page.line("per watt", words);
}

std::string energy_words(const Result& result, const WorkloadScore& workload) {
  for (const UnitEnergy& energy : result.unit_energies) {
    if (energy.name == workload.name && energy.precision == workload.precision && energy.joules)
      return fmt::format("{} J each", short_number(*energy.joules));
  }
  return {};
}

}  // namespace gpuassay
