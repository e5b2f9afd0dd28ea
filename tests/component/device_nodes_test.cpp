#include "agent/probe/device_nodes.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/scratch_root.h"

namespace gpuassay {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

TEST(DeviceNodes, OnlyTheFilesThatCudaOpensAreLookedAt) {
  const test::ScratchRoot scratch;
  for (const char* name : {"nvidia0", "nvidia12", "nvidiactl", "nvidia-uvm", "dxg", "nvidia-modeset",
                           "nvidia-uvm-tools", "nvidia", "nvidia1x", "null"}) {
    scratch.write(std::string("/dev/") + name, "");
  }
  for (const NodeTest test : {NodeTest::open, NodeTest::permissions}) {
    const DeviceNodes nodes = look_at_device_nodes(SystemRoot(scratch.path()), test);
    EXPECT_EQ(nodes.found, (Names{"/dev/dxg", "/dev/nvidia-uvm", "/dev/nvidia0", "/dev/nvidia12", "/dev/nvidiactl"}));
    EXPECT_TRUE(nodes.unusable.empty());
  }
}

TEST(DeviceNodes, WhatCannotBeOpenedIsNamedWithTheReason) {
  const test::ScratchRoot scratch;
  scratch.write("/dev/nvidiactl", "");
  fs::create_directory(scratch.path() / "dev/nvidia0");  // not to be opened for writing, whoever runs this
  const DeviceNodes nodes = look_at_device_nodes(SystemRoot(scratch.path()), NodeTest::open);
  EXPECT_EQ(nodes.found.size(), 2U);
  ASSERT_EQ(nodes.unusable.size(), 1U);
  EXPECT_EQ(nodes.unusable[0], "/dev/nvidia0: Is a directory");
}

TEST(DeviceNodes, PermissionsCount) {
  // Root opens whatever its mode says; the case can only be made as another user.
  if (::geteuid() == 0) GTEST_SKIP() << "permissions do not bind root";
  const test::ScratchRoot scratch;
  scratch.write("/dev/nvidia0", "");
  fs::permissions(scratch.path() / "dev/nvidia0", fs::perms::none);
  for (const NodeTest test : {NodeTest::open, NodeTest::permissions}) {
    EXPECT_EQ(look_at_device_nodes(SystemRoot(scratch.path()), test).unusable,
              (Names{"/dev/nvidia0: Permission denied"}));
  }
}

TEST(DeviceNodes, NoneIsAnAnswer) {
  const test::ScratchRoot scratch;
  const DeviceNodes nodes = look_at_device_nodes(SystemRoot(scratch.path()), NodeTest::open);
  EXPECT_TRUE(nodes.found.empty());
  EXPECT_TRUE(nodes.unusable.empty());
}

}  // namespace
}  // namespace gpuassay
