#include "core/known_times.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "core/gpu_names.h"
#include "core/operations.h"
#include "core/stats.h"
#include "core/workload_reader.h"

namespace gpuassay {
namespace {

bool gave_wrong_results(const Device& device, const std::vector<Measurement>& measurements) {
  return std::any_of(measurements.begin(), measurements.end(), [&](const Measurement& each) {
    return each.device == device.index && each.status == CaseStatus::wrong_result;
  });
}

/// Whether any of the operations was attempted, apart from the square products that every GPU runs and from what it
/// does together with the others.
bool ran_operations(const Device& device, const std::vector<Measurement>& measurements) {
  return std::any_of(measurements.begin(), measurements.end(), [&](const Measurement& each) {
    return each.device == device.index && each.regime == Regime::burst && !is_square_gemm(each.params) &&
           (each.workload == Workload::gemm || each.workload == Workload::conv);
  });
}

/// How much longer the largest square product that both measured takes on `device` than on `twin`.
std::optional<double> slowdown_against(int device, int twin, const std::vector<Measurement>& measurements) {
  std::map<std::string, double> of_twin;
  for (const Measurement& each : measurements) {
    if (each.device == twin && each.regime == Regime::burst && each.status == CaseStatus::ok &&
        !each.samples_ns.empty())
      of_twin[each.id] = median(each.samples_ns);
  }
  std::optional<double> slowdown;
  std::int64_t largest = 0;
  for (const Measurement& each : measurements) {
    if (each.device != device || each.regime != Regime::burst || each.status != CaseStatus::ok ||
        each.samples_ns.empty() || !is_square_gemm(each.params))
      continue;
    const std::int64_t size = std::get<GemmParams>(each.params).m;
    const auto other = of_twin.find(each.id);
    if (size <= largest || other == of_twin.end()) continue;
    largest = size;
    slowdown = median(each.samples_ns) / other->second;
  }
  return slowdown;
}

bool all_predicted(const std::vector<WorkloadPrediction>& predictions) {
  return std::all_of(predictions.begin(), predictions.end(), [](const auto& each) { return each.step.has_value(); });
}

/// Nothing of it is believed where one result was wrong.
OperationTimes own_times(const Device& device, const std::vector<Measurement>& measurements) {
  if (gave_wrong_results(device, measurements)) return {device.index, {}};
  return {device.index, measurements};
}

}  // namespace

KnownTimes::KnownTimes(const Device& device, const std::vector<Device>& devices,
                       const std::vector<Measurement>& measurements)
    : own_(own_times(device, measurements)), predictions_(predict_workloads(core_workloads(), device, own_)) {
  if (gave_wrong_results(device, measurements) || all_predicted(predictions_) || ran_operations(device, measurements))
    return;
  for (const Device& twin : devices) {
    if (twin.index == device.index || !same_kind(twin, device)) continue;
    const auto slowdown = slowdown_against(device.index, twin.index, measurements);
    if (!slowdown) continue;
    by_twin_.reset();
    of_twin_.emplace(twin.index, measurements);
    by_twin_.emplace(*of_twin_, own_, *slowdown);
    auto by_twin = predict_workloads(core_workloads(), device, *by_twin_);
    if (!all_predicted(by_twin)) continue;
    predictions_ = std::move(by_twin);
    return;
  }
  by_twin_.reset();
}

const DeviceTimes& KnownTimes::times() const {
  if (by_twin_) return *by_twin_;
  return own_;
}

}  // namespace gpuassay
