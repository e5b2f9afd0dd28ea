// The Assay Index, version 2026.1: what a machine is predicted to do of eight networks, against the A100-SXM4-80GB.
// Pure, and a function of the raw samples alone, so that anyone can recompute it. docs/SCORE.md states the formula.
#pragma once

#include <string>
#include <vector>

#include "core/model.h"
#include "core/predict.h"

namespace gpuassay {

inline constexpr std::string_view kScoreVersion = "2026.1";

/// What Vast.ai's DLPerf of 2022 gave the V100; the equivalent is linear in ResNet-50 training throughput.
inline constexpr double kDlperf2022OfV100 = 21.0;

/// What `device` is predicted to do, by its own operations. A GPU that ran none of them takes those of the first GPU
/// of its kind (name, memory, multiprocessors) that did, longer by the ratio of the largest square product that both
/// ran, with its own triad. All without a step where the device gave a wrong result.
std::vector<WorkloadPrediction> predictions_of(const Device& device, const std::vector<Device>& devices,
                                               const std::vector<Measurement>& measurements);

/// The whole Score of normalized measurements. A class is 100 times the geometric mean, over its workloads, of samples
/// per second in mixed precision over the reference's; the value is the geometric mean of the three classes. Samples
/// per second of several devices add up. `workloads` has each in full and in mixed precision, once where they are the
/// same; `precision` is the type of the products. Empty when any device lacks a prediction. `expected` is
/// expected_score(devices).
Score score_run(const std::vector<Device>& devices, const std::vector<Measurement>& measurements);

/// The workloads in mixed precision, which make the value: of each the last row (the only one where both precisions are
/// one). They live as long as `score`.
std::vector<const WorkloadScore*> mixed_workloads(const Score& score);

/// Score value over the price of an instance-hour, six significant digits; empty when either is unknown.
/// `price_instance_hour_usd` is a decimal string with six places; a price that is not above zero is no price.
std::optional<double> score_per_usd_hour(const Score& score, const std::optional<std::string>& price_instance_hour_usd);

/// Why parts of `score` are null, as entries for `unknown[]`.
std::vector<Unknown> unknown_parts(const Score& score);

}  // namespace gpuassay
