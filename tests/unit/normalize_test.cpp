#include "core/normalize.h"

#include <gtest/gtest.h>

#include "core/operations.h"
#include "tests/support/example_result.h"
#include "tests/support/resnet50.h"

namespace gpuassay {
namespace {

using test::cpu_device;
using test::network_measurements;
using test::ok_measurement;

TEST(Normalize, DerivesFiguresFromSamples) {
  const Measurement m =
      normalize(ok_measurement(GemmParams{DType::fp32, 1000, 1000, 1000, 1}, {1e6, 2e6, 4e6}), nullptr);
  EXPECT_EQ(m.median_ns, 2e6);
  EXPECT_EQ(m.noise, 0.5);
  EXPECT_EQ(m.metric->value, 1);
  EXPECT_FALSE(m.fraction_of_peak);
}

TEST(Normalize, FractionOfPeakNeedsAPeak) {
  Device device = cpu_device();
  device.theoretical.emplace().tflop_per_s[DType::fp32] = 4;
  const auto gemm = ok_measurement(GemmParams{DType::fp32, 1000, 1000, 1000, 1}, {2e6});
  EXPECT_EQ(normalize(gemm, &device).fraction_of_peak, 0.25);
  device.theoretical->bandwidth_gb_per_s = 60;
  const BandwidthParams triad{BandwidthKernel::triad, MemoryLevel::dram, 1000};
  EXPECT_EQ(normalize(ok_measurement(triad, {100}), &device).fraction_of_peak, 0.5);
  const BandwidthParams cache{BandwidthKernel::triad, MemoryLevel::l1, 1000};
  EXPECT_FALSE(normalize(ok_measurement(cache, {100}), &device).fraction_of_peak);
}

TEST(Normalize, AWrongResultHasNoFigureButKeepsItsSamples) {
  Measurement wrong = ok_measurement(GemmParams{DType::fp32, 8, 8, 8, 1}, {5});
  wrong.status = CaseStatus::wrong_result;
  wrong.metric = Metric{"achieved_tflop_per_s", 99, "TFLOP/s"};  // a claim that came with it is dropped
  const Measurement m = normalize(wrong, nullptr);
  EXPECT_FALSE(m.metric);
  EXPECT_EQ(m.median_ns, 5);
  EXPECT_EQ(m.samples_ns.size(), 1u);
}

TEST(Normalize, NoSamplesNoFigures) {
  Measurement m = ok_measurement(GemmParams{DType::fp32, 8, 8, 8, 1}, {});
  m.median_ns = 7;
  EXPECT_FALSE(normalize(m, nullptr).median_ns);
}

TEST(PoolRepeats, PoolsSamplesOfTheSameOperationOnly) {
  const GemmParams gemm{DType::fp32, 8, 8, 8, 1};
  Measurement first = ok_measurement(gemm, {1, 2, 3, 4});
  Measurement again = ok_measurement(gemm, {11, 12, 13, 14});
  again.verification->max_error = 3e-6;
  again.telemetry->steal_fraction = 0.5;
  const auto pooled = pool_repeats({first, ok_measurement(gemm, {5}, 1), again});
  ASSERT_EQ(pooled.size(), 2u);
  EXPECT_EQ(pooled[0].samples_ns, (std::vector<double>{2, 4, 11, 13})) << "half from each time";
  EXPECT_EQ(pooled[0].seconds_under_load, 0.25);
  EXPECT_EQ(pooled[0].verification->max_error, 3e-6);
  EXPECT_EQ(pooled[0].telemetry->steal_fraction, 0.25);
  EXPECT_EQ(pooled[1].samples_ns, std::vector<double>{5});
}

TEST(PoolRepeats, OfTwoAlgorithmsTheFasterOneCounts) {
  const ConvParams conv{DType::fp16, ConvDirection::forward, 1, 8, 8, 8, 8, 3, 3, 1, 1};
  Measurement slow = ok_measurement(conv, {52, 53, 54});
  slow.algorithm = "cudnn implicit_precomp_gemm NCHW";
  Measurement fast = ok_measurement(conv, {14, 15, 16});
  fast.algorithm = "cudnn implicit_precomp_gemm NHWC";
  for (const auto& order : {std::vector{slow, fast}, std::vector{fast, slow}}) {
    const Measurement pooled = pool_repeats(order).at(0);
    EXPECT_EQ(pooled.samples_ns, fast.samples_ns);
    EXPECT_EQ(pooled.algorithm, fast.algorithm);
    EXPECT_EQ(pooled.seconds_under_load, 0.25);
  }
}

TEST(PoolRepeats, AWrongRepeatMakesItWrongASkippedOneChangesNothing) {
  const GemmParams gemm{DType::fp32, 8, 8, 8, 1};
  Measurement wrong = ok_measurement(gemm, {1});
  wrong.status = CaseStatus::wrong_result;
  Measurement skipped = ok_measurement(gemm, {});
  skipped.status = CaseStatus::skipped;
  const Measurement good = ok_measurement(gemm, {1, 2});
  EXPECT_EQ(pool_repeats({good, wrong}).at(0).status, CaseStatus::wrong_result);
  EXPECT_EQ(pool_repeats({wrong, good}).at(0).status, CaseStatus::wrong_result);
  Measurement failed = ok_measurement(gemm, {});
  failed.status = CaseStatus::failed;
  EXPECT_EQ(pool_repeats({good, failed}).at(0).status, CaseStatus::ok) << "what was measured is not lost";
  EXPECT_EQ(pool_repeats({good, failed}).at(0).samples_ns.size(), 2u);
  EXPECT_EQ(pool_repeats({good, skipped}).at(0).samples_ns.size(), 2u);
  EXPECT_EQ(pool_repeats({skipped, good}).at(0).status, CaseStatus::ok);
}

TEST(Summarize, TakesTheBestSquareGemmAndTheWholeNetwork) {
  auto all = network_measurements(600, 30);
  all.push_back(ok_measurement(GemmParams{DType::fp32, 1000, 1000, 1000, 1}, {2e6}));
  all.push_back(ok_measurement(GemmParams{DType::fp32, 2000, 2000, 2000, 1}, {8e6}));
  all.push_back(ok_measurement(GemmParams{DType::fp32, 1, 1000, 1000, 1}, {1}));  // absurdly fast, not square
  all.push_back(ok_measurement(BandwidthParams{BandwidthKernel::read, MemoryLevel::l2, 1000}, {10}));
  const std::vector<Device> devices{cpu_device()};
  const Summary summary = summarize(devices, normalize_all(all, devices));
  EXPECT_EQ(summary.instance.gemm_tflop_per_s.at("fp32").burst, 2);
  EXPECT_FALSE(summary.instance.gemm_tflop_per_s.at("fp32").sustained);
  EXPECT_EQ(summary.instance.bandwidth_gb_per_s.at("triad").burst, 30);
  EXPECT_EQ(summary.instance.bandwidth_gb_per_s.at("l2").burst, 100);
  // Convolutions at 600 FLOPs in a nanosecond, or slower where their bytes last longer.
  EXPECT_LT(*summary.instance.conv_tflop_per_s.at("fp32").burst, 0.6);
  EXPECT_GT(*summary.instance.conv_tflop_per_s.at("fp32").burst, 0.4);
  ASSERT_EQ(summary.devices.size(), 1u);
  EXPECT_EQ(summary.devices[0].device, 0);
}

TEST(Summarize, SaysHowTheDevicesDiffer) {
  const GemmParams gemm{DType::fp32, 1000, 1000, 1000, 1};  // 2 TFLOP/s in 1 ms
  std::vector<Device> devices(3, cpu_device());
  std::vector<Measurement> all;
  for (int i = 0; i < 3; ++i) {
    devices[static_cast<std::size_t>(i)].index = i;
    all.push_back(ok_measurement(gemm, {i == 1 ? 2e6 : 1e6}, i));
    all.push_back(ok_measurement(LatencyParams{LatencyKind::kernel_launch}, {i == 2 ? 5000.0 : 4000.0}, i));
  }
  all.push_back(ok_measurement(BandwidthParams{BandwidthKernel::triad, MemoryLevel::dram, 1000}, {10}, 0));
  const Summary summary = summarize(devices, normalize_all(all, devices));
  ASSERT_EQ(summary.across_devices.size(), 2u) << "the triad of one device is no figure of all";
  const DeviceSpread& product = summary.across_devices[0];
  EXPECT_EQ(product.figure, "gemm_tflop_per_s.fp32.burst");
  EXPECT_EQ(product.min, 1);
  EXPECT_EQ(product.median, 2);
  EXPECT_EQ(product.max, 2);
  EXPECT_EQ(product.spread, 0.5);
  EXPECT_EQ(product.slowest_device, 1);
  EXPECT_EQ(summary.across_devices[1].figure, "latency_us.kernel_launch.burst");
  EXPECT_EQ(summary.across_devices[1].slowest_device, 2);
  devices.resize(1);
  EXPECT_TRUE(summarize(devices, normalize_all(all, devices)).across_devices.empty());
}

TEST(Summarize, ConvolutionsAreThoseOfTheWholeNetwork) {
  std::vector<Measurement> all{
      ok_measurement(BandwidthParams{BandwidthKernel::triad, MemoryLevel::dram, 1'000'000}, {1e-3})};
  double flops = 0;
  for (const test::WorkloadOperation& operation : test::resnet50_train_operations(DType::fp32, 64)) {
    if (workload_of(operation.params) != Workload::conv) continue;
    all.push_back(ok_measurement(operation.params, {2e6}));
    flops += operation.count * flop_count(operation.params);
  }
  const std::vector<Device> devices{cpu_device()};
  const Summary summary = summarize(devices, normalize_all(all, devices));
  // 158 convolutions of 2 ms; their FLOPs by hand: 64 images * 2 * (3 * 4,087,136,256 - 118,013,952).
  const double by_hand = 64 * 2 * (3 * 4'087'136'256.0 - 118'013'952.0);
  EXPECT_EQ(flops, by_hand);
  EXPECT_NEAR(*summary.instance.conv_tflop_per_s.at("fp32").burst, by_hand / (158 * 2e6) / 1e3, 1e-4);
}

TEST(Summarize, OneConvolutionUnderLoadStandsForTheNetwork) {
  std::vector<Measurement> all = network_measurements(600, 30);
  const auto conv =
      std::find_if(all.begin(), all.end(), [](const Measurement& m) { return m.workload == Workload::conv; });
  Measurement sustained = *conv;
  sustained.regime = Regime::sustained;
  for (double& sample_ns : sustained.samples_ns) sample_ns *= 1.25;
  all.push_back(sustained);
  const std::vector<Device> devices{cpu_device()};
  const RegimeValues figures = summarize(devices, normalize_all(all, devices)).instance.conv_tflop_per_s.at("fp32");
  EXPECT_NEAR(*figures.sustained, *figures.burst / 1.25, 1e-5);
  all.back().status = CaseStatus::failed;
  EXPECT_FALSE(summarize(devices, normalize_all(all, devices)).instance.conv_tflop_per_s.at("fp32").sustained);
}

TEST(Summarize, SustainedFiguresStandBesideBursts) {
  const GemmParams gemm{DType::fp32, 1000, 1000, 1000, 1};
  Measurement sustained = ok_measurement(gemm, {4e6});
  sustained.regime = Regime::sustained;
  const std::vector<Device> devices{cpu_device()};
  const Summary summary = summarize(devices, normalize_all({ok_measurement(gemm, {2e6}), sustained}, devices));
  EXPECT_EQ(summary.instance.gemm_tflop_per_s.at("fp32").burst, 1);
  EXPECT_EQ(summary.instance.gemm_tflop_per_s.at("fp32").sustained, 0.5);
}

TEST(Summarize, ThreeConvolutionsAreNoNetwork) {
  auto all = network_measurements(600, 30);
  int convolutions = 0;
  std::erase_if(all, [&](const Measurement& m) { return m.workload == Workload::conv && ++convolutions > 3; });
  const std::vector<Device> devices{cpu_device()};
  EXPECT_TRUE(summarize(devices, normalize_all(all, devices)).instance.conv_tflop_per_s.empty());
}

TEST(Summarize, DevicesAddUpToTheInstance) {
  const std::vector<Device> devices{cpu_device(0), cpu_device(1)};
  const GemmParams gemm{DType::fp32, 1000, 1000, 1000, 1};
  const Summary summary =
      summarize(devices, normalize_all({ok_measurement(gemm, {2e6}, 0), ok_measurement(gemm, {1e6}, 1)}, devices));
  EXPECT_EQ(summary.instance.gemm_tflop_per_s.at("fp32").burst, 3);
  EXPECT_EQ(summary.devices[1].gemm_tflop_per_s.at("fp32").burst, 2);
}

TEST(Summarize, AFigureThatOneDeviceLacksIsNullForTheInstance) {
  const std::vector<Device> devices{cpu_device(0), cpu_device(1)};
  const GemmParams fp32{DType::fp32, 1000, 1000, 1000, 1}, bf16{DType::bf16, 1000, 1000, 1000, 1};
  const Summary summary = summarize(
      devices,
      normalize_all({ok_measurement(fp32, {2e6}, 0), ok_measurement(bf16, {1e6}, 0), ok_measurement(fp32, {2e6}, 1)},
                    devices));
  EXPECT_EQ(summary.instance.gemm_tflop_per_s.at("fp32").burst, 2);
  EXPECT_FALSE(summary.instance.gemm_tflop_per_s.at("bf16").burst) << "the sum of two would be of one";
}

Device v100() {
  Device device;
  device.kind = DeviceKind::cuda;
  device.theoretical = TheoreticalPeak{{{DType::fp16, 125}, {DType::fp32, 15.7}}, 900, {{DType::fp32, 15.7}}};
  return device;
}

TEST(Normalize, FractionOfPeakIsThatOfTheUnitAndTheFormat) {
  const Device device = v100();
  const auto fraction = [&](const OperationParams& params, double sample_ns) {
    return normalize(ok_measurement(params, {sample_ns}), &device).fraction_of_peak;
  };
  // 12.5 TFLOP in one second of what could be 125.
  const ConvParams conv{DType::fp16, ConvDirection::forward, 1, 250, 50, 50, 10000, 1, 1, 1, 0};
  EXPECT_EQ(fraction(conv, 1e6), 0.1);
  EXPECT_EQ(fraction(ComputeParams{DType::fp16, ComputeUnit::mma, 12'500'000'000}, 1e6), 0.1);
  EXPECT_EQ(fraction(ComputeParams{DType::fp32, ComputeUnit::fma, 1'570'000'000}, 1e6), 0.1);
  EXPECT_FALSE(fraction(ComputeParams{DType::fp16_acc16, ComputeUnit::fma, 1'570'000'000}, 1e6)) << "not known";
  EXPECT_FALSE(fraction(ComputeParams{DType::bf16, ComputeUnit::mma, 1'570'000'000}, 1e6)) << "not there";
  EXPECT_EQ(fraction(BandwidthParams{BandwidthKernel::gather, MemoryLevel::dram, 90'000'000}, 1e6), 0.1);
  EXPECT_FALSE(fraction(BandwidthParams{BandwidthKernel::h2d, MemoryLevel::pinned, 90'000'000}, 1e6));
  EXPECT_FALSE(fraction(LatencyParams{}, 1e3));
}

TEST(Summarize, NamesTransfersComputeAndLatency) {
  const BandwidthParams pinned{BandwidthKernel::h2d, MemoryLevel::pinned, 1000};
  const BandwidthParams pageable{BandwidthKernel::h2d, MemoryLevel::pageable, 1000};
  const BandwidthParams both{BandwidthKernel::bidirectional, MemoryLevel::pinned, 1000};
  const BandwidthParams gather{BandwidthKernel::gather, MemoryLevel::dram, 1000};
  std::vector<Measurement> all{
      ok_measurement(pinned, {100}),
      ok_measurement(pageable, {200}),
      ok_measurement(both, {100}),
      ok_measurement(gather, {10}),
      ok_measurement(ComputeParams{DType::fp64, ComputeUnit::fma, 1000}, {1}),
      ok_measurement(ComputeParams{DType::fp64, ComputeUnit::mma, 2000}, {1}),
      ok_measurement(LatencyParams{LatencyKind::kernel_launch}, {2500}),
  };
  const std::vector<Device> devices{v100()};
  const DeviceSummary summary = summarize(devices, normalize_all(all, devices)).devices.at(0);
  EXPECT_EQ(summary.bandwidth_gb_per_s.at("h2d").burst, 10);
  EXPECT_EQ(summary.bandwidth_gb_per_s.at("h2d_pageable").burst, 5);
  EXPECT_EQ(summary.bandwidth_gb_per_s.at("bidirectional").burst, 20);
  EXPECT_EQ(summary.bandwidth_gb_per_s.at("gather").burst, 100);
  EXPECT_EQ(summary.compute_tflop_per_s.at("fp64").burst, 2) << "the better unit";
  EXPECT_EQ(summary.latency_us.at("kernel_launch").burst, 2.5);
  EXPECT_TRUE(summary.gemm_tflop_per_s.empty()) << "arithmetic alone is no GEMM";
}

TEST(Summarize, LatencyOfTheInstanceIsThatOfItsSlowestDevice) {
  Device second = v100();
  second.index = 1;
  const std::vector<Device> devices{v100(), second};
  const LatencyParams launch{LatencyKind::graph_launch};
  const Summary summary = summarize(
      devices, normalize_all({ok_measurement(launch, {1000}, 0), ok_measurement(launch, {3000}, 1)}, devices));
  EXPECT_EQ(summary.instance.latency_us.at("graph_launch").burst, 3);
}

TEST(Summarize, CollectivesAreOfTheInstanceAlone) {
  const auto of = [](CollectiveKind kind, std::int64_t bytes, CollectiveMode mode, double sample_ns) {
    Measurement m = ok_measurement(CollectiveParams{kind, DType::fp32, bytes, 2, mode}, {sample_ns});
    m.device.reset();
    return m;
  };
  using enum CollectiveKind;
  std::vector<Measurement> all{
      of(all_reduce, 1'000'000, CollectiveMode::bandwidth, 1e5),   // 10 GB/s
      of(all_reduce, 64'000'000, CollectiveMode::bandwidth, 1e6),  // 64 GB/s
      of(all_gather, 64'000'000, CollectiveMode::bandwidth, 1e6),  // half of it: one other rank of two
      of(all_reduce, 16384, CollectiveMode::plain, 20'000),       of(all_reduce, 4096, CollectiveMode::plain, 10'000),
      of(all_reduce, 16384, CollectiveMode::graph, 8'000),
  };
  all[3].p99_ns = 31'000;
  const std::vector<Device> devices{v100()};
  const Summary summary = summarize(devices, normalize_all(all, devices));
  EXPECT_EQ(summary.instance.collective_busbw_gb_per_s.at("all_reduce").burst, 64);
  EXPECT_EQ(summary.instance.collective_busbw_gb_per_s.at("all_gather").burst, 32);
  EXPECT_EQ(summary.instance.collective_latency_us.at("all_reduce_plain").burst, 20) << "of 16 KiB, not the smallest";
  EXPECT_EQ(summary.instance.collective_latency_us.at("all_reduce_plain_p99").burst, 31);
  EXPECT_EQ(summary.instance.collective_latency_us.at("all_reduce_graph").burst, 8);
  EXPECT_FALSE(summary.instance.collective_latency_us.contains("all_reduce_graph_p99"));
  EXPECT_TRUE(summary.devices.at(0).collective_busbw_gb_per_s.empty());
}

TEST(PoolRepeats, GpuReadingsAreCombined) {
  const GemmParams gemm{DType::fp16, 8, 8, 8, 1};
  Measurement first = ok_measurement(gemm, {1});
  first.seconds_under_load = 1;
  first.telemetry->gpu = GpuTelemetry{1500, 1400, 877, 250, 60, {{{"sw_power_cap", 0.5}}}, true};
  Measurement again = ok_measurement(gemm, {1});
  again.seconds_under_load = 3;
  again.telemetry->gpu =
      GpuTelemetry{1300, 1350, 877, std::nullopt, 70, {{{"sw_power_cap", 0.5}, {"hw_slowdown", 1}}}, false};
  const GpuTelemetry gpu = *pool_repeats({first, again}).at(0).telemetry->gpu;
  EXPECT_EQ(gpu.sm_clock_mhz, 1350) << "weighted by seconds";
  EXPECT_EQ(gpu.sm_clock_min_mhz, 1350);
  EXPECT_FALSE(gpu.power_w) << "unknown in one pass is unknown";
  EXPECT_EQ(gpu.temperature_c, 70);
  EXPECT_EQ(gpu.event_reasons_s->at("sw_power_cap"), 1);
  EXPECT_EQ(gpu.event_reasons_s->at("hw_slowdown"), 1);
  EXPECT_EQ(gpu.throttled, true);
}

TEST(PoolRepeats, StampedClocksAndEnergiesAreCombined) {
  const GemmParams gemm{DType::fp16, 8, 8, 8, 1};
  Measurement first = ok_measurement(gemm, {1});
  first.seconds_under_load = 1;
  first.telemetry->sm_clock_stamped_mhz = 1500;
  first.telemetry->gpu = GpuTelemetry{};
  first.telemetry->gpu->energy_j = 100;
  first.telemetry->gpu->mean_power_w = 100;
  Measurement again = first;
  again.seconds_under_load = 3;
  again.telemetry->sm_clock_stamped_mhz = 1300;
  again.telemetry->gpu->energy_j = 600;
  again.telemetry->gpu->mean_power_w = 200;
  const Telemetry pooled = *pool_repeats({first, again}).at(0).telemetry;
  EXPECT_EQ(pooled.sm_clock_stamped_mhz, 1350) << "weighted by seconds";
  EXPECT_FALSE(pooled.multiprocessors_stamped);
  EXPECT_EQ(pooled.gpu->energy_j, 700);
  EXPECT_EQ(pooled.gpu->mean_power_w, 175);
  first.telemetry->sm_clock_stamped_mhz.reset();
  EXPECT_EQ(pool_repeats({first, again}).at(0).telemetry->sm_clock_stamped_mhz, 1300) << "of the pass that has one";
}

}  // namespace
}  // namespace gpuassay
