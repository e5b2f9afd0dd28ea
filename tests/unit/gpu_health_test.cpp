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

TEST(GpuHealth, ALostDeviceIsAFaultOnce) {
  EXPECT_NE(fault_between({}, {true, {}, {}})->find("PCI bus"), std::string::npos);
  EXPECT_FALSE(fault_between({true, {}, {}}, {true, {}, {}})) << "it was so before";
}

}  // namespace
}  // namespace gpuassay
