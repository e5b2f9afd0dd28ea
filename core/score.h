// The Assay Index, version 0.2: predicted ResNet-50 training throughput against the A100-SXM4-80GB. Pure, and a
// function of the raw samples alone, so that anyone can recompute it. docs/SCORE.md states the formula.
#pragma once

#include <vector>

#include "core/model.h"

namespace gpuassay {

inline constexpr std::string_view kScoreVersion = "0.2";

/// Images per second of the reference GPUs, ResNet-50 training, AMP fp16. Source: lambdal/deeplearning-benchmark,
/// pytorch-train-throughput-fp16.csv (NGC 22.09 DeepLearningExamples): A100-SXM4-80GB and V100-SXM2-16GB.
inline constexpr double kReferenceA100ImagesPerS = 1582.0;
inline constexpr double kReferenceV100ImagesPerS = 833.0;
/// What Vast.ai's DLPerf of 2022 gave the V100; the equivalent is linear in training throughput.
inline constexpr double kDlperf2022OfV100 = 21.0;

/// Batch sizes a plan may use for the layers, in order of preference; a score takes the first fully measured one. A GPU
/// takes 64 unless its memory is too small (the layers then need about 1 GiB with their workspace): the same for all,
/// so that scores compare.
inline constexpr std::int64_t kCpuTrainBatches[] = {8, 1};
inline constexpr std::int64_t kGpuTrainBatches[] = {64, 8};

/// The precision in which a device trains: fp16 on GPUs with tensor cores (compute capability 7.0 and above; the
/// reference is mixed precision too), else fp32.
DType train_dtype(const Device& device);

/// One way to run the training workload.
struct TrainChoice {
  DType dtype = DType::fp32;
  std::int64_t batch = 0;
};

/// What a score of `device` may be made of, in order of preference; fp32 stands in where fp16 was not measured.
std::vector<TrainChoice> train_choices(const Device& device);

/// Seconds of one iteration = (sum over operations of count * time + elementwise bytes / triad bandwidth).
/// samples_per_s uses median times; low and high use the upper and lower quartile times of every operation.
/// With an operation or the triad missing, the figures are empty and covered_share says how much FLOPs were there.
WorkloadScore predict_resnet50_train(int device, DType dtype, std::int64_t batch,
                                     const std::vector<Measurement>& measurements);

/// The whole Score of normalized measurements. value = 100 * sum over devices of samples_per_s / reference; empty
/// when any device lacks a prediction. A GPU that ran none of the operations takes those of the first GPU of its kind
/// (name, memory, multiprocessors) that ran them all, longer by the ratio of their square GEMMs in that precision, with
/// its own triad: eight GPUs cannot all run them within the limits of time and document.
Score score_run(const std::vector<Device>& devices, const std::vector<Measurement>& measurements);

/// Score value over the price of an instance-hour, six significant digits; empty when either is unknown.
/// `price_instance_hour_usd` is a decimal string with six places; a price that is not above zero is no price.
std::optional<double> score_per_usd_hour(const Score& score, const std::optional<std::string>& price_instance_hour_usd);

/// Why parts of `score` are null, as entries for `unknown[]`.
std::vector<Unknown> unknown_parts(const Score& score);

}  // namespace gpuassay
