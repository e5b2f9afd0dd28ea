#include "core/normalize.h"

#include <gtest/gtest.h>

#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

using test::cpu_device;
using test::ok_measurement;
using test::resnet50_measurements;

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
  auto all = resnet50_measurements(8, 2e6, 1e5);
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
  // 158 convolutions of 2 ms; their FLOPs by hand: 8 images * 2 * (3 * 4,087,136,256 - 118,013,952).
  const double tflop_per_s = 8 * 2 * (3 * 4'087'136'256.0 - 118'013'952.0) / (158 * 2e6) / 1e3;
  EXPECT_NEAR(*summary.instance.conv_tflop_per_s.at("fp32").burst, tflop_per_s, 1e-6);
  ASSERT_EQ(summary.devices.size(), 1u);
  EXPECT_EQ(summary.devices[0].device, 0);
}

TEST(Summarize, AnIncompleteNetworkHasNoConvolutionFigure) {
  auto all = resnet50_measurements(8, 2e6, 1e5);
  all.erase(all.begin());
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

}  // namespace
}  // namespace gpuassay
