// A fake GPU in confidential-compute mode, one without, and drivers of before: what the agent gets to hear.
#include "agent/floor/device_attestation.h"

#include <gtest/gtest.h>

#include "tests/support/fake_gpu_session.h"

namespace gpuassay {
namespace {

using test::FakeGpuSession;
constexpr std::chrono::milliseconds kAskLimit{30'000};

DeviceAttestation asked(const test::FakeSetup& setup, const std::string& pci_bus_id = "0000:10:00.0") {
  const FakeGpuSession session(setup);
  return attestation_of({3, FakeGpuSession::candidate("libnvidia-ml.so.1"), pci_bus_id}, Digest{5, 6}, kAskLimit);
}

TEST(DeviceAttestation, AGpuInTheModeAnswersTheNonce) {
  const DeviceAttestation answer = asked({"H100-SXM5-80GB", "570.86.15", "cc"});
  ASSERT_TRUE(answer.said) << answer.problem;
  EXPECT_EQ(answer.problem, "");
  EXPECT_EQ(answer.said->device, 3);
  EXPECT_EQ(answer.said->report.substr(0, 6), std::string("\x11\xe0\x01\xff\x05\x06"));
  EXPECT_TRUE(answer.said->certificates.starts_with("-----BEGIN CERTIFICATE-----"));
}

TEST(DeviceAttestation, WhereThereIsNoSuchThingNothingIsSaid) {
  for (const test::FakeSetup& setup :
       {test::FakeSetup{"H100-SXM5-80GB", "570.86.15"}, test::FakeSetup{"V100-SXM2-16GB", "470.256.02", "cc"}}) {
    const DeviceAttestation answer = asked(setup);
    EXPECT_FALSE(answer.said);
    EXPECT_EQ(answer.problem, "");
  }
}

TEST(DeviceAttestation, WhatFailsIsTold) {
  const DeviceAttestation denied = asked({"H100-SXM5-80GB", "570.86.15", "cc,nvml_denied"});
  EXPECT_FALSE(denied.said);
  EXPECT_NE(denied.problem.find("nvmlDeviceGetConfComputeGpuAttestationReport failed with 4"), std::string::npos)
      << denied.problem;
  EXPECT_NE(asked({"H100-SXM5-80GB", "570.86.15", "cc"}, "0000:99:00.0").problem, "");
  const LibraryCandidate missing{"libnvidia-ml.so.1", "/nowhere/libnvidia-ml.so.1", "override"};
  EXPECT_NE(attestation_of({0, missing, "0000:01:00.0"}, Digest{}, kAskLimit).problem, "");
}

}  // namespace
}  // namespace gpuassay
