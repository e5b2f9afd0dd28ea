#include "agent/report_host.h"

#include <gtest/gtest.h>

#include "agent/verdicts_host.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

Result gpu_machine(double memory, double disk_read, double to_gpu, double link) {
  Result result = test::example_result();
  result.devices[0].kind = DeviceKind::cuda;
  result.devices[0].simulated = false;
  result.summary = {};
  DeviceSummary& instance = result.summary.instance;
  instance.host_gb_per_s["memory"].burst = memory;
  instance.host_gb_per_s["disk_write"].burst = 0.4;
  instance.host_gb_per_s["disk_read"].burst = disk_read;
  instance.host_gb_per_s["disk_to_device"].burst = to_gpu;
  instance.host_tflop_per_s["fma"].burst = 1.2;
  DeviceSummary device;
  device.device = 0;
  device.bandwidth_gb_per_s["h2d"].burst = link;
  result.summary.devices = {device};
  return result;
}

std::string lines_of(const Result& result) {
  const TextStyle style;
  TextPage page(style);
  add_host_lines(page, result);
  return page.take();
}

std::vector<std::string> host_codes(const Result& result) {
  std::vector<Verdict> verdicts;
  judge_host(result, verdicts);
  std::vector<std::string> codes;
  codes.reserve(verdicts.size());
  for (const Verdict& verdict : verdicts) codes.push_back(verdict.code);
  return codes;
}

TEST(ReportHost, SaysWhatFeedsTheGpus) {
  Result result = gpu_machine(85, 1.8, 1.45, 25);
  EXPECT_EQ(lines_of(result),
            "  host       memory 85.0 GB/s  CPU 1.20 TFLOP/s\n"
            "  disk       write 0.400 GB/s  read 1.80 GB/s  to GPU 1.45 GB/s\n"
            "             (a 16 GB model loads in 11 s)\n");
  result.summary.instance.host_gb_per_s["network"].burst = 0.125;
  result.summary.instance.host_latency_us["connect"].burst = 12300;
  EXPECT_NE(lines_of(result).find("  network    download 0.125 GB/s  connect 12.3 ms\n"), std::string::npos);
  result.summary.instance.host_gb_per_s["disk_to_device"].burst = 0.02;
  EXPECT_NE(lines_of(result).find("loads in 13 min"), std::string::npos);
}

TEST(ReportHost, OfACpuMachineItSaysTheDiskAlone) {
  Result result = test::example_result();
  EXPECT_EQ(lines_of(result), "");
  result.summary.instance.host_gb_per_s["memory"].burst = 30;
  result.summary.instance.host_gb_per_s["disk_read"].burst = 2;
  EXPECT_EQ(lines_of(result), "  disk       read 2.00 GB/s  (a 16 GB model loads in 8.00 s)\n");
}

TEST(HostVerdicts, OnlyWhatStarvesAGpuIsSaid) {
  EXPECT_TRUE(host_codes(gpu_machine(85, 1.8, 1.4, 25)).empty());
  EXPECT_TRUE(host_codes(gpu_machine(26, 0.11, 0.1, 25)).empty()) << "slow, but as such machines are";
  EXPECT_EQ(host_codes(gpu_machine(85, 0.05, 0.05, 25)), std::vector<std::string>{"slow_disk"});
  EXPECT_EQ(host_codes(gpu_machine(20, 1.8, 1.4, 25)), std::vector<std::string>{"slow_host"});
}

TEST(HostVerdicts, MachinesWithoutARealGpuAreNotJudged) {
  Result simulated = gpu_machine(1, 0.01, 0.01, 25);
  simulated.devices[0].simulated = true;
  EXPECT_TRUE(host_codes(simulated).empty());
  Result cpu = gpu_machine(1, 0.01, 0.01, 25);
  cpu.devices[0].kind = DeviceKind::cpu;
  EXPECT_TRUE(host_codes(cpu).empty());
  Result unknown = gpu_machine(85, 1.8, 1.4, 25);
  unknown.summary = {};
  EXPECT_TRUE(host_codes(unknown).empty());
}

}  // namespace
}  // namespace gpuassay
