#include "core/score.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "core/assay_index.h"
#include "core/enums.h"
#include "core/expected_score.h"
#include "core/known_times.h"
#include "core/score_reference.h"
#include "core/stats.h"

namespace gpuassay {
namespace {

constexpr int kScoreDigits = 6;

/// Samples per second of one workload in one precision, added up over the devices.
struct Throughput {
  WorkloadScore score;
  bool complete = true;

  void add(const WorkloadPrediction& prediction) {
    score.covered_share = std::min(score.covered_share, prediction.step ? prediction.step->covered_share : 0);
    complete = complete && prediction.step;
    if (!complete) return;
    const auto plus = [&](std::optional<double>& figure, double step_ns) {
      figure = figure.value_or(0) + prediction.samples_per_s(step_ns);
    };
    plus(score.samples_per_s, prediction.step->step_ns);
    plus(score.low, prediction.step->high_ns);
    plus(score.high, prediction.step->low_ns);
  }
};

Throughput throughput_of(const WorkloadPrediction& prediction) {
  Throughput throughput;
  throughput.score.name = prediction.workload->id;
  throughput.score.workload_class = prediction.workload->workload_class;
  const bool mixed = prediction.precision == WorkloadPrecision::mixed;
  throughput.score.precision = to_name(mixed ? prediction.types.half : prediction.types.fp32);
  throughput.score.batch = prediction.workload->samples;
  throughput.score.covered_share = 1;
  return throughput;
}

void round_figure(std::optional<double>& figure) {
  if (figure) figure = round_significant(*figure, kScoreDigits);
}

std::optional<double> dlperf_equivalent(const std::vector<WorkloadScore>& mixed) {
  constexpr std::string_view kWorkload = "resnet50_train";
  const auto reference = reference_samples_per_s(kDlperfGpu, kWorkload, WorkloadPrecision::mixed);
  for (const WorkloadScore& each : mixed) {
    if (each.name == kWorkload && each.samples_per_s && reference)
      return kDlperf2022OfV100 * *each.samples_per_s / *reference;
  }
  return std::nullopt;
}

/// Samples per second over all devices: the full and the mixed ones of every workload, in turns.
std::vector<WorkloadScore> add_up(const std::vector<std::vector<WorkloadPrediction>>& by_device) {
  std::vector<WorkloadScore> rows;
  for (std::size_t row = 0; row < by_device.front().size(); ++row) {
    Throughput throughput = throughput_of(by_device.front()[row]);
    for (const auto& predictions : by_device) throughput.add(predictions[row]);
    if (!throughput.complete) throughput.score.samples_per_s = throughput.score.low = throughput.score.high = {};
    throughput.score.covered_share = round_significant(throughput.score.covered_share, kScoreDigits);
    rows.push_back(std::move(throughput.score));
  }
  return rows;
}

std::vector<WorkloadScore> mixed_of(const std::vector<WorkloadScore>& in_turns) {
  std::vector<WorkloadScore> mixed;
  for (std::size_t i = 1; i < in_turns.size(); i += 2) mixed.push_back(in_turns[i]);
  return mixed;
}

/// Both precisions where they differ, with what they are of the reference in the same.
std::vector<WorkloadScore> listed(const std::vector<WorkloadScore>& in_turns) {
  std::vector<WorkloadScore> list;
  for (std::size_t i = 0; i + 1 < in_turns.size(); i += 2) {
    const bool same = in_turns[i].precision == in_turns[i + 1].precision;
    for (const std::size_t at : {i, i + 1}) {
      if (same && at == i) continue;
      WorkloadScore row = in_turns[at];
      row.vs_reference = over_reference(row, at == i ? WorkloadPrecision::full : WorkloadPrecision::mixed);
      for (auto* figure : {&row.samples_per_s, &row.low, &row.high, &row.vs_reference}) round_figure(*figure);
      list.push_back(std::move(row));
    }
  }
  return list;
}

}  // namespace

std::vector<WorkloadPrediction> predictions_of(const Device& device, const std::vector<Device>& devices,
                                               const std::vector<Measurement>& measurements) {
  return KnownTimes(device, devices, measurements).predictions();
}

Score score_run(const std::vector<Device>& devices, const std::vector<Measurement>& measurements) {
  Score score;
  score.version = std::string(kScoreVersion);
  score.regime = Regime::burst;
  if (devices.empty()) return score;
  std::vector<std::vector<WorkloadPrediction>> by_device;
  for (const Device& device : devices) {
    by_device.push_back(predictions_of(device, devices, measurements));
    DeviceScore of_device{device.index, assay_index(mixed_of(add_up({by_device.back()}))).value};
    round_figure(of_device.value);
    score.per_device.push_back(of_device);
  }
  const std::vector<WorkloadScore> in_turns = add_up(by_device);
  const std::vector<WorkloadScore> mixed = mixed_of(in_turns);
  const AssayIndex index = assay_index(mixed);
  score.classes = index.classes;
  score.value = index.value;
  score.dlperf_2022_equivalent = dlperf_equivalent(mixed);
  for (auto* figure : {&score.value, &score.classes.train, &score.classes.prefill, &score.classes.decode,
                       &score.dlperf_2022_equivalent}) {
    round_figure(*figure);
  }
  score.workloads = listed(in_turns);
  score.expected = expected_score(devices);
  if (score.value && score.expected)
    score.fraction_of_expected = round_significant(*score.value / *score.expected, kScoreDigits);
  return score;
}

std::vector<const WorkloadScore*> mixed_workloads(const Score& score) {
  std::vector<const WorkloadScore*> mixed;
  for (std::size_t row = 0; row < score.workloads.size(); ++row) {
    const bool last = row + 1 == score.workloads.size() || score.workloads[row + 1].name != score.workloads[row].name;
    if (last) mixed.push_back(&score.workloads[row]);
  }
  return mixed;
}

std::optional<double> score_per_usd_hour(const Score& score,
                                         const std::optional<std::string>& price_instance_hour_usd) {
  if (!score.value || !price_instance_hour_usd) return std::nullopt;
  const double usd_per_hour = std::strtod(price_instance_hour_usd->c_str(), nullptr);
  if (!(usd_per_hour > 0)) return std::nullopt;
  return round_significant(*score.value / usd_per_hour, kScoreDigits);
}

std::vector<Unknown> unknown_parts(const Score& score) {
  std::vector<Unknown> parts;
  const std::string too_little =
      "too little was measured of what it needs, or with wrong results; see covered_share and measurements";
  const auto add = [&](const std::optional<double>& figure, std::string path) {
    if (!figure) parts.push_back({"/score/" + std::move(path), too_little});
  };
  if (!score.expected)
    parts.push_back({"/score/expected", "only whole GPUs whose specification is known let expect a score"});
  if (!score.fraction_of_expected)
    parts.push_back({"/score/fraction_of_expected", score.expected ? too_little : "nothing is expected"});
  add(score.value, "value");
  add(score.classes.train, "classes/train");
  add(score.classes.prefill, "classes/prefill");
  add(score.classes.decode, "classes/decode");
  add(score.dlperf_2022_equivalent, "dlperf_2022_equivalent");
  for (std::size_t i = 0; i < score.per_device.size(); ++i)
    add(score.per_device[i].value, "per_device/" + std::to_string(i) + "/value");
  for (std::size_t i = 0; i < score.workloads.size(); ++i) {
    const std::string place = "workloads/" + std::to_string(i) + "/";
    const WorkloadScore& workload = score.workloads[i];
    add(workload.samples_per_s, place + "samples_per_s");
    add(workload.low, place + "low");
    add(workload.high, place + "high");
    add(workload.vs_reference, place + "vs_reference");
  }
  return parts;
}

}  // namespace gpuassay
