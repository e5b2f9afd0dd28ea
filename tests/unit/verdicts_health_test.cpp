#include "agent/verdicts_health.h"

#include <gtest/gtest.h>

#include "agent/verdicts.h"
#include "agent/verdicts_identity.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

Result with_gpu() {
  Result result;
  Device device;
  device.index = 2;
  device.kind = DeviceKind::cuda;
  device.name = "NVIDIA A100-SXM4-80GB";
  device.compute_capability = "8.0";
  device.sm_count = 108;
  device.memory_bytes = std::int64_t{81'920} << 20U;
  result.devices = {device};
  return result;
}

std::vector<Verdict> health_of(const DeviceHealth& health) {
  Result result = with_gpu();
  result.devices[0].health = health;
  std::vector<Verdict> verdicts;
  judge_health(result, verdicts);
  return verdicts;
}

TEST(HealthVerdicts, CountersThatStandStillAreHealthy) {
  EXPECT_TRUE(health_of({}).empty());
  EXPECT_TRUE(health_of({5, 5, 1, 1, std::vector<int>{}}).empty());
  EXPECT_TRUE(health_of({5, {}, 1, {}, {}}).empty()) << "unknown is no error";
  EXPECT_TRUE(health_of({5, 0, 1, 0, {}}).empty()) << "the driver was loaded anew";
}

TEST(HealthVerdicts, CountersThatGrewAreToldWithTheirKind) {
  const auto corrected = health_of({5, 7, 0, 0, {}});
  ASSERT_EQ(corrected.size(), 1u);
  EXPECT_EQ(corrected[0].code, "ecc_errors");
  EXPECT_EQ(corrected[0].device, 2);
  EXPECT_NE(corrected[0].message.find("2 corrected, 0 uncorrectable"), std::string::npos);
  const auto uncorrected = health_of({5, 5, 0, 1, {}});
  ASSERT_EQ(uncorrected.size(), 1u);
  EXPECT_NE(uncorrected[0].remedy.find("another machine"), std::string::npos);
}

TEST(HealthVerdicts, XidsAreNamed) {
  const auto verdicts = health_of({{}, {}, {}, {}, std::vector<int>{48, 63}});
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].code, "xid_errors");
  EXPECT_NE(verdicts[0].message.find("Xid 48, 63 about GPU 2"), std::string::npos);
}

TEST(HealthVerdicts, MemoryThatDoesNotReadBackIsMissing) {
  Result result = with_gpu();
  Measurement m = test::ok_measurement(
      BandwidthParams{BandwidthKernel::readback, MemoryLevel::dram, std::int64_t{70} << 30U}, {1e8}, 2);
  result.measurements = {m};
  std::vector<Verdict> verdicts;
  judge_health(result, verdicts);
  EXPECT_TRUE(verdicts.empty());
  result.measurements[0].status = CaseStatus::wrong_result;
  judge_health(result, verdicts);
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].code, "memory_missing");
  EXPECT_NE(verdicts[0].message.find("70.0 GiB"), std::string::npos);
}

std::vector<Verdict> identity_of(const Device& device) {
  Result result;
  result.devices = {device};
  std::vector<Verdict> verdicts;
  judge_identity(result, verdicts);
  return verdicts;
}

TEST(IdentityVerdicts, ACardThatIsWhatItSaysHasNone) {
  EXPECT_TRUE(identity_of(with_gpu().devices[0]).empty());
  EXPECT_TRUE(judge(with_gpu()).empty());
}

TEST(IdentityVerdicts, FewerMultiprocessorsAloneMayBeAPart) {
  Device device = with_gpu().devices[0];
  device.sm_count = 54;
  const auto verdicts = identity_of(device);
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].code, "fewer_sms");
  EXPECT_EQ(verdicts[0].message, "GPU 2 has 54 multiprocessors, a NVIDIA A100-SXM4-80GB has 108");
}

TEST(IdentityVerdicts, AnotherCardUnderThatNameIsDoubted) {
  Device device = with_gpu().devices[0];
  device.compute_capability = "8.6";
  device.sm_count = 84;
  device.memory_bytes = std::int64_t{48'000} << 20U;
  const auto verdicts = identity_of(device);
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].code, "identity_doubtful");
  EXPECT_NE(verdicts[0].message.find("compute capability 8.6 where it has 8.0"), std::string::npos);
  EXPECT_NE(verdicts[0].message.find("multiprocessors 84 where it has 108"), std::string::npos);
}

TEST(IdentityVerdicts, PartsOfACardAndNamesNobodyKnowsAreNotJudged) {
  Device slice = with_gpu().devices[0];
  slice.name = "NVIDIA A100-SXM4-80GB MIG 1g.10gb";
  slice.mig = "1g.10gb";
  slice.sm_count = 14;
  slice.memory_bytes = std::int64_t{9'728} << 20U;
  EXPECT_TRUE(identity_of(slice).empty());
  Device virtual_gpu = with_gpu().devices[0];
  virtual_gpu.name = "GRID A100DX-20C";
  virtual_gpu.vgpu = "A100DX-20C";
  virtual_gpu.memory_bytes = std::int64_t{20'000} << 20U;
  EXPECT_TRUE(identity_of(virtual_gpu).empty());
  Device unheard_of = with_gpu().devices[0];
  unheard_of.name = "NVIDIA X9000";
  EXPECT_TRUE(identity_of(unheard_of).empty());
}

}  // namespace
}  // namespace gpuassay
