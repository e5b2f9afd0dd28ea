#include "agent/probe/gpu_health.h"

#include <gtest/gtest.h>

namespace gpuassay {
namespace {

TEST(GpuHealth, NothingNewIsNoFault) {
  EXPECT_FALSE(fault_between({false, 2, 7}, {false, 2, 7}));
  EXPECT_FALSE(fault_between({}, {})) << "unknown is no fault";
  EXPECT_FALSE(fault_between({false, 2, {}}, {false, 0, {}})) << "the driver was loaded anew";
}

TEST(GpuHealth, NewErrorsAreAFaultInEitherCounter) {
  EXPECT_TRUE(fault_between({false, 0, 0}, {false, 1, 1})->starts_with("1 uncorrectable memory error was"));
  EXPECT_TRUE(fault_between({false, 5, 5}, {false, 0, 8})->starts_with("3 uncorrectable memory errors were"));
}

TEST(GpuHealth, ALostDeviceIsAFaultSinceWhenever) {
  EXPECT_EQ(fault_between({}, {true, {}, {}}), "it fell off the PCI bus while it was measured (NVML: GPU is lost)");
  EXPECT_EQ(fault_between({true, {}, {}}, {true, {}, {}}),
            "it fell off the PCI bus before it was measured (NVML: GPU is lost)");
}

}  // namespace
}  // namespace gpuassay
