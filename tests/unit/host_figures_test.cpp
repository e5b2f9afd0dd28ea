#include "core/host_figures.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/normalize.h"
#include "core/operations.h"
#include "core/requirement.h"
#include "core/result_json.h"
#include "core/schema.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

Measurement of_instance(const OperationParams& params, double ns) {
  Measurement m = test::ok_measurement(params, {ns, ns, ns});
  m.device.reset();
  return m;
}

const DiskParams kWritten{DiskKind::sequential_write, 400'000'000, 4 << 20};
const DiskParams kReadBack{DiskKind::sequential_read, 1'800'000'000, 4 << 20};
const DiskParams kLoaded{DiskKind::disk_to_device, 1'600'000'000, 4 << 20};

Device gpu(int index) {
  Device device = test::cpu_device(index);
  device.kind = DeviceKind::cuda;
  return device;
}

/// A machine with two GPUs of different kinds, and everything around them.
Result machine() {
  Result result = test::example_result();
  result.devices = {gpu(0), gpu(1)};
  result.measurements = {
      of_instance(BandwidthParams{BandwidthKernel::triad, MemoryLevel::dram, 1'000'000'000}, 3e9 / 85),
      of_instance(ComputeParams{DType::fp32, ComputeUnit::fma, 1'200'000'000}, 1e6),
      of_instance(GemmParams{DType::fp32, 1000, 1000, 1000, 1}, 2e6),
      of_instance(kWritten, 1e9),
      of_instance(kReadBack, 1e9),
      of_instance(NetworkParams{NetworkKind::connect, 0}, 12e6),
      of_instance(NetworkParams{NetworkKind::download, 120'000'000}, 1e9),
      test::ok_measurement(kLoaded, {1e9, 1e9, 1e9}, 0),
      test::ok_measurement(kLoaded, {2e9, 2e9, 2e9}, 1),
      test::ok_measurement(BandwidthParams{BandwidthKernel::triad, MemoryLevel::dram, 1'000'000'000}, {1e6}, 0)};
  result.measurements = normalize_all(std::move(result.measurements), result.devices);
  result.summary = summarize(result.devices, result.measurements);
  return result;
}

TEST(HostFigures, AreOfTheInstanceAlone) {
  const Summary summary = machine().summary;
  const auto gb_per_s = [&](const char* name) {
    return host_figure(summary.instance.host_gb_per_s, name).value_or(-1);
  };
  EXPECT_NEAR(gb_per_s("memory"), 85, 0.001) << "not the GPU's 3000";
  EXPECT_EQ(gb_per_s("disk_write"), 0.4);
  EXPECT_EQ(gb_per_s("disk_read"), 1.8);
  EXPECT_EQ(gb_per_s("disk_to_device"), 0.8) << "the slower GPU";
  EXPECT_EQ(gb_per_s("network"), 0.12);
  EXPECT_EQ(host_figure(summary.instance.host_tflop_per_s, "fma"), 1.2);
  EXPECT_EQ(host_figure(summary.instance.host_tflop_per_s, "gemm"), 1.0);
  EXPECT_EQ(host_figure(summary.instance.host_latency_us, "connect"), 12000);
  EXPECT_FALSE(host_figure(summary.instance.host_latency_us, "other"));
  for (const DeviceSummary& device : summary.devices)
    EXPECT_TRUE(device.host_gb_per_s.empty() && device.host_tflop_per_s.empty() && device.host_latency_us.empty());
  EXPECT_EQ(summary.instance.bandwidth_gb_per_s.count("disk_read"), 0U);
}

TEST(HostFigures, OfACpuThatIsADeviceAreItsOwn) {
  const std::vector<Device> devices{test::cpu_device()};
  const std::vector<Measurement> measured = normalize_all(
      {test::ok_measurement(BandwidthParams{BandwidthKernel::triad, MemoryLevel::dram, 1'000'000'000}, {1e8})},
      devices);
  EXPECT_EQ(host_figure(summarize(devices, measured).instance.host_gb_per_s, "memory"), 30);
}

TEST(HostFigures, WhatIsNotOkIsNoFigure) {
  Measurement wrong = of_instance(kReadBack, 1e9);
  wrong.status = CaseStatus::wrong_result;
  const std::vector<Device> devices{gpu(0)};
  EXPECT_TRUE(summarize(devices, normalize_all({wrong}, devices)).instance.host_gb_per_s.empty());
}

TEST(HostFigures, AModelLoadsAsFastAsTheSlowestWay) {
  DeviceSummary instance;
  EXPECT_FALSE(load_s(instance, 16e9));
  instance.host_gb_per_s["disk_read"].burst = 2;
  EXPECT_EQ(load_s(instance, 16e9), 8);
  instance.host_gb_per_s["disk_to_device"].burst = 1.6;
  EXPECT_EQ(load_s(instance, 16e9), 10);
}

TEST(HostFigures, KeepTheSchemaAndCanBeRequired) {
  const Result result = machine();
  const nlohmann::json document = to_json(result);
  EXPECT_EQ(schema_violations(document, "result"), std::vector<std::string>{});
  EXPECT_EQ(to_json(result_from_json(document)), document);
  EXPECT_TRUE(check_requirement(parse_requirement("disk_read.burst>=1.8"), result).met);
  EXPECT_TRUE(check_requirement(parse_requirement("summary.instance.host_gb_per_s.memory.burst>=80"), result).met);
  EXPECT_FALSE(check_requirement(parse_requirement("host_latency_us.connect.burst<1000"), result).met);
  EXPECT_THROW(parse_requirement("disk_read.sustained>=1"), Error) << "there is none";
}

TEST(HostFigures, ImpossibleParametersAreNotRead) {
  const auto read_back = [](const OperationParams& params) {
    return measurement_from_json(to_json(of_instance(params, 1000))).params;
  };
  EXPECT_EQ(std::get<DiskParams>(read_back(kLoaded)), kLoaded);
  EXPECT_EQ(std::get<NetworkParams>(read_back(NetworkParams{NetworkKind::connect, 0})).kind, NetworkKind::connect);
  EXPECT_THROW(read_back(DiskParams{DiskKind::sequential_read, 0, 0}), Error);
  EXPECT_THROW(read_back(DiskParams{DiskKind::sequential_read, 4096, 8192}), Error);
  EXPECT_THROW(read_back(NetworkParams{NetworkKind::download, 0}), Error);
  EXPECT_THROW(read_back(NetworkParams{NetworkKind::connect, 1}), Error);
}

TEST(HostFigures, IdsDoNotDependOnWhatTheMachineAllowed) {
  EXPECT_EQ(case_id(kWritten), "disk/sequential_write");
  EXPECT_EQ(case_id(kLoaded), "disk/disk_to_device");
  EXPECT_EQ(case_id(NetworkParams{NetworkKind::connect, 0}), "network/connect");
  EXPECT_EQ(case_id(NetworkParams{NetworkKind::download, 5}), "network/download");
  EXPECT_EQ(metric_of(kReadBack, 1e9).unit, "GB/s");
  EXPECT_EQ(metric_of(NetworkParams{NetworkKind::connect, 0}, 2000).value, 2);
  EXPECT_EQ(byte_count(NetworkParams{NetworkKind::download, 5}), 5);
  EXPECT_EQ(flop_count(kReadBack), 0);
}

}  // namespace
}  // namespace gpuassay
