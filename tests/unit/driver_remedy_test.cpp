#include "agent/driver_remedy.h"

#include <gtest/gtest.h>

namespace gpuassay {
namespace {

DriverHost host(const std::string& os_id, const std::string& os_like, int capability) {
  return {os_id, os_like, "none", capability, false};
}

TEST(DriverRemedy, TheBranchFollowsFromGpuAndDistribution) {
  EXPECT_EQ(install_driver(host("ubuntu", "debian", 37)).command, "sudo apt-get install nvidia-driver-470");
  EXPECT_EQ(install_driver(host("ubuntu", "debian", 70)).command, "sudo apt-get install nvidia-driver-580");
  EXPECT_EQ(install_driver(host("ubuntu", "debian", 100)).command, "sudo apt-get install nvidia-driver-580-open");
  EXPECT_EQ(install_driver(host("debian", "", 37)).command, "sudo apt-get install nvidia-tesla-470-driver");
  EXPECT_EQ(install_driver(host("debian", "", 80)).command, "sudo apt-get install linux-headers-amd64 nvidia-driver");
  EXPECT_EQ(install_driver(host("debian", "", 120)).command, "sudo apt-get install nvidia-open");
  EXPECT_EQ(install_driver(host("rocky", "rhel centos fedora", 70)).command,
            "sudo dnf module install nvidia-driver:580-dkms");
  EXPECT_EQ(install_driver(host("rhel", "fedora", 100)).command, "sudo dnf module install nvidia-driver:580-open");
  EXPECT_EQ(install_driver(host("rhel", "fedora", 35)).command, "sudo dnf module install nvidia-driver:470-dkms");
  EXPECT_EQ(install_driver(host("amzn", "fedora", 75)).command, "sudo dnf module install nvidia-driver:580-dkms");
  EXPECT_EQ(install_driver(host("linuxmint", "ubuntu debian", 75)).command, "sudo apt-get install nvidia-driver-580");
}

TEST(DriverRemedy, AnUnknownDistributionGetsTheBranchInWords) {
  const Remedy kepler = install_driver(host("arch", "", 35));
  EXPECT_EQ(kepler.command, "");
  EXPECT_NE(kepler.advice.find("branch 470"), std::string::npos);
  EXPECT_NE(install_driver(host("", "", 0)).advice.find("branch 580"), std::string::npos);
  for (const char* id : {"ubuntu", "debian", "rhel", "arch", ""}) {
    EXPECT_NE(install_driver(host(id, "", 75)).advice.find("choose an image"), std::string::npos) << id;
  }
}

TEST(DriverRemedy, WindowsHasTheDriverOfItsLinux) {
  DriverHost wsl = host("ubuntu", "debian", 89);
  wsl.wsl = true;
  EXPECT_EQ(install_driver(wsl).command, "");
  EXPECT_NE(install_driver(wsl).advice.find("Windows"), std::string::npos);
}

TEST(DriverRemedy, TheGpuIsKnownByItsPciId) {
  EXPECT_EQ(capability_by_pci_id({"10de:1eb8"}), 75);
  EXPECT_EQ(capability_by_pci_id({"10de:????", "10de:102d"}), 37);
  EXPECT_EQ(capability_by_pci_id({"10de:ffff"}), 0);
  EXPECT_EQ(capability_by_pci_id({}), 0);
}

TEST(DriverRemedy, EveryKindOfContainerHasItsWay) {
  EXPECT_EQ(pass_gpu_into("docker").command, "docker run --gpus all IMAGE");
  EXPECT_EQ(pass_gpu_into("podman").command, "podman run --device nvidia.com/gpu=all IMAGE");
  EXPECT_EQ(pass_gpu_into("kubernetes").command, "");
  EXPECT_NE(pass_gpu_into("kubernetes").advice.find("nvidia.com/gpu: 1"), std::string::npos);
  EXPECT_EQ(pass_gpu_into("lxc").command, "lxc config device add CONTAINER gpu gpu");
  EXPECT_EQ(pass_gpu_into("unknown").command, "docker run --gpus all IMAGE");
}

}  // namespace
}  // namespace gpuassay
