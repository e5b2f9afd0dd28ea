#include "agent/plan_host.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "agent/backends/cpu_compute.h"
#include "agent/plan.h"
#include "agent/plan_units.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

constexpr HostSizes kSizes{128 * kMiB, 1024};

Device card(int index, const char* name) {
  Device device;
  device.index = index;
  device.kind = DeviceKind::cuda;
  device.name = name;
  device.memory_bytes = 16 * kGiB;
  device.compute_capability = "7.5";
  device.sm_count = 40;
  return device;
}

Inventory with(std::vector<Device> devices) {
  Inventory inventory;
  inventory.cpu.threads = 4;
  inventory.host.memory_bytes = 32 * kGiB;
  inventory.devices = std::move(devices);
  return inventory;
}

/// "id" of the instance's cases, "id@0" of a device's.
std::vector<std::string> places(const std::vector<Case>& cases) {
  std::vector<std::string> texts;
  texts.reserve(cases.size());
  for (const Case& planned : cases)
    texts.push_back(planned.id + (planned.device ? "@" + std::to_string(*planned.device) : ""));
  return texts;
}

TEST(PlanHost, AGpuMachineMeasuresWhatFeedsIt) {
  const Inventory two = with({card(0, "Tesla T4"), card(1, "Tesla T4"), card(2, "Tesla P4")});
  const std::vector<Case> cases = host_cases(two, Profile::standard, kSizes, false);
  EXPECT_EQ(places(cases),
            (std::vector<std::string>{"bandwidth/triad/dram", "compute/fma/fp32", "disk/sequential_write",
                                      "disk/sequential_read", "disk/disk_to_device@0", "disk/disk_to_device@2"}));
  EXPECT_TRUE(std::all_of(cases.begin(), cases.end(), [](const Case& c) { return c.optional && !c.gpu_telemetry; }));
  EXPECT_EQ(host_cases(two, Profile::full, kSizes, false)[2].id, "gemm/fp32/m1024n1024k1024");
  EXPECT_EQ(std::get<ComputeParams>(cases[1].params).flops, cpu_compute_flops(4));
  EXPECT_EQ(std::get<DiskParams>(cases[4].params).bytes, 2 * kGiB);
}

TEST(PlanHost, ACpuMachineMeasuresItsDiskAlone) {
  const Inventory cpu = with({test::cpu_device()});
  const std::vector<std::string> disk{"disk/sequential_write", "disk/sequential_read"};
  EXPECT_EQ(places(host_cases(cpu, Profile::standard, kSizes, false)), disk) << "the rest is the device's";
  EXPECT_TRUE(host_cases(cpu, Profile::quick, kSizes, false).empty());
  EXPECT_TRUE(host_cases(with({}), Profile::full, kSizes, true).empty());
}

TEST(PlanHost, ANetworkIsMeasuredWhereATargetWasNamedInAnyProfile) {
  for (const Profile profile : {Profile::quick, Profile::standard, Profile::full}) {
    const Inventory cpu = with({test::cpu_device()});
    const std::vector<Case> cases = host_cases(cpu, profile, kSizes, true);
    ASSERT_GE(cases.size(), 2U);
    EXPECT_EQ(cases[cases.size() - 2].id, "network/connect");
    EXPECT_EQ(cases.back().id, "network/download");
    EXPECT_FALSE(cases.back().optional) << "it was asked for";
    for (const Case& planned : host_cases(cpu, profile, kSizes, false))
      EXPECT_FALSE(std::holds_alternative<NetworkParams>(planned.params));
  }
}

TEST(PlanHost, AModelFitsHalfOfTheDevice) {
  Inventory small = with({card(0, "Tesla T4")});
  small.free_memory_bytes[0] = 1 * kGiB;
  const auto model = [&](Profile profile) {
    return std::get<DiskParams>(host_cases(small, profile, kSizes, false).back().params).bytes;
  };
  EXPECT_EQ(model(Profile::standard), kGiB / 2);
  small.free_memory_bytes[0] = 80 * kGiB;
  EXPECT_EQ(model(Profile::full), 16 * kGiB);
}

/// The file is made once, run once to warm up and then sampled: at the speed that the size of the file follows from,
/// and on a disk as slow as a measured one may be for its few blocks.
TEST(PlanHost, LastsATenthOfItsProfileAtMost) {
  for (const Profile profile : {Profile::standard, Profile::full}) {
    double total_s = 3 * 0.6;  // memory and arithmetic, prepared and sampled
    double slow_s = total_s;
    for (const Case& planned : host_cases(with({card(0, "Tesla T4")}), profile, kSizes, false)) {
      const auto* disk = std::get_if<DiskParams>(&planned.params);
      if (disk == nullptr) continue;
      const double made_s = static_cast<double>(disk->bytes) / 1.5e9;
      const double sampled_s = static_cast<double>(planned.limits.max_time_ns) / 1e9;
      total_s += made_s + made_s + std::max(sampled_s, planned.limits.min_samples * made_s);
      slow_s += static_cast<double>(disk->block_bytes) * (2 + planned.limits.min_samples) / 5e6 + sampled_s;
    }
    EXPECT_LE(total_s, rules_of(profile).wall_s / 10);
    EXPECT_LE(slow_s, 25) << "at 5 MB/s";
  }
}

TEST(PlanHost, ComesAfterTheBestFiguresOfTheGpu) {
  const std::vector<Case> cases = plan(with({card(0, "Tesla T4")}), Profile::standard, {}, true);
  const auto position = [&](const std::string& id) {
    return std::find_if(cases.begin(), cases.end(), [&](const Case& c) { return c.id == id; }) - cases.begin();
  };
  EXPECT_GT(position("disk/sequential_write"), position("bandwidth/h2d/pinned"));
  EXPECT_GT(position("disk/sequential_write"), position("latency/graph_launch"));
  EXPECT_LT(position("network/download"), position("bandwidth/gather/dram"));
  const std::vector<Case> cpu = plan(with({test::cpu_device()}), Profile::standard);
  EXPECT_EQ(std::count_if(cpu.begin(), cpu.end(), [](const Case& c) { return !c.device; }), 2);
}

}  // namespace
}  // namespace gpuassay
