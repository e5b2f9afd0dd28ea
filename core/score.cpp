#include "core/score.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "core/enums.h"
#include "core/gpu_names.h"
#include "core/gpu_peaks.h"
#include "core/operations.h"
#include "core/resnet50.h"
#include "core/stats.h"

namespace gpuassay {
namespace {

constexpr int kScoreDigits = 6;
constexpr double kNsPerS = 1e9;

std::map<std::string, const Measurement*> ok_by_id(int device, const std::vector<Measurement>& measurements) {
  std::map<std::string, const Measurement*> by_id;
  for (const Measurement& m : measurements) {
    if (m.device == device && m.status == CaseStatus::ok && m.regime == Regime::burst && !m.samples_ns.empty()) {
      by_id[m.id] = &m;
    }
  }
  return by_id;
}

/// Whose operations make up an iteration, and how much longer they take on the device that is scored.
struct Operations {
  const std::map<std::string, const Measurement*>& measured;
  double slowdown = 1;
};

/// Nanoseconds of one iteration with every operation at quantile `q` of its samples.
double iteration_ns(const std::vector<WorkloadOperation>& operations, const Operations& times, const Measurement& triad,
                    double elementwise_bytes, double q) {
  double total_ns = 0;
  for (const WorkloadOperation& operation : operations) {
    total_ns += operation.count * quantile(times.measured.at(case_id(operation.params))->samples_ns, q);
  }
  return total_ns * times.slowdown + elementwise_bytes / byte_count(triad.params) * quantile(triad.samples_ns, q);
}

/// The prediction from the operations that `times` has and the triad of the device itself.
WorkloadScore predict(const TrainChoice& choice, const Operations& times,
                      const std::map<std::string, const Measurement*>& own) {
  WorkloadScore score;
  score.name = "resnet50_train";
  score.workload_class = WorkloadClass::train;
  score.precision = std::string(to_name(choice.dtype));
  score.batch = choice.batch;
  const auto operations = resnet50_train_operations(choice.dtype, choice.batch);
  double covered_flops = 0;
  double all_flops = 0;
  bool complete = true;
  for (const WorkloadOperation& operation : operations) {
    const double flops = operation.count * flop_count(operation.params);
    all_flops += flops;
    if (times.measured.contains(case_id(operation.params))) {
      covered_flops += flops;
    } else {
      complete = false;
    }
  }
  score.covered_share = round_significant(covered_flops / all_flops, kScoreDigits);
  const auto triad = own.find(case_id(BandwidthParams{BandwidthKernel::triad, MemoryLevel::dram, 0}));
  if (!complete || triad == own.end()) return score;

  const double bytes = resnet50_train_elementwise_bytes(choice.dtype, choice.batch);
  const auto images_per_s = [&](double q) {
    return static_cast<double>(choice.batch) * kNsPerS / iteration_ns(operations, times, *triad->second, bytes, q);
  };
  score.samples_per_s = images_per_s(0.5);
  score.low = images_per_s(0.75);
  score.high = images_per_s(0.25);
  return score;
}

WorkloadScore best_prediction(const Device& device, const std::vector<Measurement>& measurements) {
  WorkloadScore best;
  for (const TrainChoice& choice : train_choices(device)) {
    WorkloadScore prediction = predict_resnet50_train(device.index, choice.dtype, choice.batch, measurements);
    if (prediction.samples_per_s) return prediction;
    if (best.name.empty() || prediction.covered_share > best.covered_share) best = prediction;
  }
  return best;
}

/// How much longer the largest square GEMM in `dtype` that both measured takes on `device` than on `twin`.
std::optional<double> slowdown_against(const std::map<std::string, const Measurement*>& device,
                                       const std::map<std::string, const Measurement*>& twin, DType dtype) {
  std::optional<double> slowdown;
  std::int64_t largest = 0;
  for (const auto& [id, own] : device) {
    const auto* gemm = std::get_if<GemmParams>(&own->params);
    const bool square = gemm != nullptr && gemm->m == gemm->n && gemm->n == gemm->k && gemm->batch == 1;
    const auto other = twin.find(id);
    if (!square || gemm->dtype != dtype || gemm->m <= largest || other == twin.end()) continue;
    largest = gemm->m;
    slowdown = median(own->samples_ns) / median(other->second->samples_ns);
  }
  return slowdown;
}

/// A GPU that did not run the operations itself, by those of the first of its kind that did.
std::optional<WorkloadScore> prediction_by_twin(const Device& device, const std::vector<Device>& devices,
                                                const std::vector<Measurement>& measurements) {
  const auto own = ok_by_id(device.index, measurements);
  for (const Device& twin : devices) {
    if (twin.index == device.index || !same_kind(twin, device)) continue;
    const auto of_twin = ok_by_id(twin.index, measurements);
    for (const TrainChoice& choice : train_choices(device)) {
      const std::optional<double> slowdown = slowdown_against(own, of_twin, choice.dtype);
      if (!slowdown) continue;
      WorkloadScore prediction = predict(choice, {of_twin, *slowdown}, own);
      if (prediction.samples_per_s) return prediction;
    }
  }
  return std::nullopt;
}

/// By the device's own operations; where it ran none of them, by a twin's. One that ran some and not all has no excuse.
WorkloadScore prediction_of(const Device& device, const std::vector<Device>& devices,
                            const std::vector<Measurement>& measurements) {
  WorkloadScore own = best_prediction(device, measurements);
  if (own.samples_per_s || own.covered_share > 0) return own;
  return prediction_by_twin(device, devices, measurements).value_or(own);
}

void add(std::optional<double>& total, const std::optional<double>& value, bool first) {
  if (first) {
    total = value;
  } else if (total && value) {
    total = *total + *value;
  } else {
    total.reset();
  }
}

void round_figure(std::optional<double>& figure) {
  if (figure) figure = round_significant(*figure, kScoreDigits);
}

}  // namespace

DType train_dtype(const Device& device) {
  constexpr int kFirstWithTensorCores = 70;
  const bool tensor_cores = device.kind == DeviceKind::cuda && device.compute_capability &&
                            capability_number(*device.compute_capability) >= kFirstWithTensorCores;
  return tensor_cores ? DType::fp16 : DType::fp32;
}

std::vector<TrainChoice> train_choices(const Device& device) {
  std::vector<TrainChoice> choices;
  if (device.kind == DeviceKind::cuda) {
    const DType preferred = train_dtype(device);
    for (const std::int64_t batch : kGpuTrainBatches) choices.push_back({preferred, batch});
    if (preferred == DType::fp32) return choices;
    for (const std::int64_t batch : kGpuTrainBatches) choices.push_back({DType::fp32, batch});
    return choices;
  }
  for (const std::int64_t batch : kCpuTrainBatches) choices.push_back({DType::fp32, batch});
  return choices;
}

WorkloadScore predict_resnet50_train(int device, DType dtype, std::int64_t batch,
                                     const std::vector<Measurement>& measurements) {
  const auto measured = ok_by_id(device, measurements);
  return predict({dtype, batch}, {measured}, measured);
}

Score score_run(const std::vector<Device>& devices, const std::vector<Measurement>& measurements) {
  Score score;
  score.version = std::string(kScoreVersion);
  score.regime = Regime::burst;
  WorkloadScore whole;
  bool first = true;
  for (const Device& device : devices) {
    WorkloadScore one = prediction_of(device, devices, measurements);
    DeviceScore of_device{device.index, std::nullopt};
    if (one.samples_per_s) of_device.value = 100 * *one.samples_per_s / kReferenceA100ImagesPerS;
    round_figure(of_device.value);
    score.per_device.push_back(of_device);
    if (first) whole = one;
    add(whole.samples_per_s, one.samples_per_s, first);
    add(whole.low, one.low, first);
    add(whole.high, one.high, first);
    whole.covered_share = std::min(whole.covered_share, one.covered_share);
    first = false;
  }
  if (first) return score;  // no device, nothing to score
  if (whole.samples_per_s) {
    whole.vs_reference = *whole.samples_per_s / kReferenceA100ImagesPerS;
    score.value = 100 * *whole.vs_reference;
    score.dlperf_2022_equivalent = kDlperf2022OfV100 * *whole.samples_per_s / kReferenceV100ImagesPerS;
  }
  for (auto* figure : {&whole.samples_per_s, &whole.low, &whole.high, &whole.vs_reference, &score.value,
                       &score.dlperf_2022_equivalent}) {
    round_figure(*figure);
  }
  score.classes.train = score.value;
  score.workloads.push_back(whole);
  return score;
}

std::optional<double> score_per_usd_hour(const Score& score,
                                         const std::optional<std::string>& price_instance_hour_usd) {
  if (!score.value || !price_instance_hour_usd) return std::nullopt;
  const double usd_per_hour = std::strtod(price_instance_hour_usd->c_str(), nullptr);
  if (!(usd_per_hour > 0)) return std::nullopt;
  return round_significant(*score.value / usd_per_hour, kScoreDigits);
}

std::vector<Unknown> unknown_parts(const Score& score) {
  const std::string later = "score version " + score.version + " has no such part";
  std::vector<Unknown> parts{{"/score/classes/prefill", later},
                             {"/score/classes/decode", later},
                             {"/score/expected", later},
                             {"/score/fraction_of_expected", later}};
  if (score.value) return parts;
  const std::string incomplete = "an operation of the workload was not measured; see covered_share and measurements";
  for (const char* path : {"/score/value", "/score/classes/train", "/score/dlperf_2022_equivalent"}) {
    parts.push_back({path, incomplete});
  }
  for (std::size_t i = 0; i < score.per_device.size(); ++i) {
    if (!score.per_device[i].value) parts.push_back({"/score/per_device/" + std::to_string(i) + "/value", incomplete});
  }
  if (!score.workloads.empty()) {
    for (const char* name : {"samples_per_s", "low", "high", "vs_reference"}) {
      parts.push_back({std::string("/score/workloads/0/") + name, incomplete});
    }
  }
  return parts;
}

}  // namespace gpuassay
