#include "agent/probe/gpu_sight.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"

namespace gpuassay {
namespace {

GpuSights v100() {
  GpuSights sights;
  sights.cuda_version = 12020;
  GpuSight gpu;
  gpu.name = "Tesla V100-SXM2-16GB";
  gpu.pci_bus_id = "0000:00:1e.0";
  gpu.compute_capability = 70;
  gpu.sm_count = 80;
  gpu.memory_bytes = std::int64_t{16'151} << 20;
  gpu.driver_version = "535.129.03";
  gpu.vbios = "88.00.4F.00.09";
  gpu.power_limit_w = 300;
  gpu.ecc = true;
  gpu.pcie_generation = 3;
  gpu.pcie_width = 16;
  gpu.pcie_max_generation = 3;
  gpu.reasons["pcie_max_width"] = "NVML answers Not Supported (3)";
  sights.gpus.push_back(gpu);
  return sights;
}

const Unknown* find(const std::vector<Unknown>& unknown, const std::string& path) {
  const auto found = std::find_if(unknown.begin(), unknown.end(), [&](const Unknown& u) { return u.path == path; });
  return found == unknown.end() ? nullptr : &*found;
}

TEST(GpuSight, TravelsAsText) {
  const GpuSights back = sights_from_text(to_text(v100()));
  ASSERT_EQ(back.gpus.size(), 1U);
  EXPECT_EQ(back.cuda_version, 12020);
  EXPECT_EQ(back.gpus[0].name, "Tesla V100-SXM2-16GB");
  EXPECT_EQ(back.gpus[0].ecc, true);
  EXPECT_FALSE(back.gpus[0].mig);
  EXPECT_EQ(back.gpus[0].reasons.at("pcie_max_width"), "NVML answers Not Supported (3)");
}

TEST(GpuSight, NonsenseIsRefused) {
  for (const char* text :
       {"", "{", "[]", "{}", R"({"cuda_version":"x","simulated":false,"nvml_problem":"","gpus":[]})"}) {
    EXPECT_THROW(sights_from_text(text), Error) << text;
  }
}

TEST(GpuSight, ANameThatIsNoUtf8StillTravels) {
  GpuSights sights = v100();
  sights.gpus[0].name = "Tesla \xff\x1b[31m";
  std::vector<Unknown> unknown;
  const Device device = device_of(sights_from_text(to_text(sights)), 0, unknown);
  EXPECT_EQ(device.name.find('\x1b'), std::string::npos);
}

TEST(GpuSight, BecomesADeviceWhoseNullsAreExplained) {
  std::vector<Unknown> unknown;
  const Device device = device_of(v100(), 0, unknown);
  EXPECT_EQ(device.kind, DeviceKind::cuda);
  EXPECT_EQ(device.compute_capability, "7.0");
  EXPECT_EQ(device.driver_version, "535.129.03");
  EXPECT_EQ(device.model, "Tesla V100");
  ASSERT_TRUE(device.theoretical);
  ASSERT_TRUE(device.pci);
  EXPECT_FALSE(device.pci->max_width);
  const Unknown* width = find(unknown, "/devices/0/pci/max_width");
  ASSERT_NE(width, nullptr);
  EXPECT_EQ(width->reason, "NVML answers Not Supported (3)");
  EXPECT_NE(find(unknown, "/devices/0/mig"), nullptr);
}

TEST(GpuSight, WithoutNvmlTheDriverAnswersAndTheRestIsNull) {
  GpuSights sights = v100();
  GpuSight& gpu = sights.gpus[0];
  gpu.driver_version.reset();
  gpu.vbios.reset();
  gpu.power_limit_w.reset();
  gpu.pcie_generation.reset();
  gpu.pcie_width.reset();
  gpu.pcie_max_generation.reset();
  sights.nvml_problem = "libnvidia-ml.so.1 was not found";
  std::vector<Unknown> unknown;
  const Device device = device_of(sights, 0, unknown);
  EXPECT_EQ(device.driver_version, "CUDA 12.2");
  EXPECT_FALSE(device.pci);
  ASSERT_NE(find(unknown, "/devices/0/pci"), nullptr);
  EXPECT_EQ(find(unknown, "/devices/0/pci")->reason, "libnvidia-ml.so.1 was not found");
  ASSERT_NE(find(unknown, "/devices/0/limits"), nullptr);
}

TEST(GpuSight, ADeviceThatNvmlDoesNotKnowHasItsOwnReason) {
  GpuSights sights = v100();
  sights.gpus[0].vbios.reset();
  sights.gpus[0].nvml_problem = "NVML does not know this device (status 6)";
  std::vector<Unknown> unknown;
  (void)device_of(sights_from_text(to_text(sights)), 0, unknown);
  ASSERT_NE(find(unknown, "/devices/0/vbios"), nullptr);
  EXPECT_EQ(find(unknown, "/devices/0/vbios")->reason, "NVML does not know this device (status 6)");
}

}  // namespace
}  // namespace gpuassay
