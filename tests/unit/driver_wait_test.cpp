#include "agent/driver_wait.h"

#include <gtest/gtest.h>

namespace gpuassay {
namespace {

Machine with_problem(const std::string& code) {
  Machine machine;
  if (!code.empty()) machine.driver_problem = DriverProblem{code, "it is " + code, 0};
  return machine;
}

/// A machine whose driver works from `ready_at_s` on; each look takes a tenth of a second.
struct Booting {
  std::string code = "no_cuda_device";
  double ready_at_s = 5;
  bool gpu = true;
  double now_s = 0;
  int looks = 0, told = 0;

  Machine wait(double limit_s) {
    WaitWorld world;
    world.look = [this] {
      ++looks;
      now_s += 0.1;
      return with_problem(now_s >= ready_at_s ? "" : code);
    };
    world.gpu_on_pci_bus = [this] { return gpu; };
    world.now_s = [this] { return now_s; };
    world.sleep = [this](std::chrono::milliseconds pause) { now_s += std::chrono::duration<double>(pause).count(); };
    return look_when_ready(world, limit_s, [this] { ++told; });
  }
};

TEST(DriverWait, ALateDriverIsWaitedFor) {
  Booting machine;
  EXPECT_FALSE(machine.wait(60).driver_problem);
  EXPECT_EQ(machine.told, 1);
  EXPECT_GE(machine.now_s, 5);
  EXPECT_LE(machine.now_s, 8);
}

TEST(DriverWait, NotForEver) {
  Booting machine{"fabric_not_ready", 1e9};
  EXPECT_EQ(machine.wait(60).driver_problem->code, "fabric_not_ready");
  EXPECT_LE(machine.now_s, 61);
  EXPECT_GE(machine.looks, 20);
}

TEST(DriverWait, AReadyMachineIsLookedAtOnce) {
  Booting machine{"no_cuda_device", 0};
  EXPECT_FALSE(machine.wait(60).driver_problem);
  EXPECT_EQ(machine.looks, 1);
  EXPECT_EQ(machine.told, 0);
}

TEST(DriverWait, WhatWaitingCannotMendIsNotWaitedFor) {
  for (const char* code : {"driver_too_old", "driver_stub", "driver_crashed", "driver_hung", "driver_mismatch"}) {
    Booting machine{code, 1e9};
    (void)machine.wait(60);
    EXPECT_EQ(machine.looks, 1) << code;
  }
  Booting without_gpu{"driver_missing", 1e9, false};
  (void)without_gpu.wait(60);
  EXPECT_EQ(without_gpu.looks, 1);
  Booting not_wanted;
  (void)not_wanted.wait(0);
  EXPECT_EQ(not_wanted.looks, 1);
}

}  // namespace
}  // namespace gpuassay
