#include "core/expected_score.h"

#include <gtest/gtest.h>

#include "core/assay_index.h"
#include "core/score_reference.h"
#include "core/workload_reader.h"

namespace gpuassay {
namespace {

Device card(const char* name) {
  Device device;
  device.kind = DeviceKind::cuda;
  device.name = name;
  return device;
}

constexpr const char* kA100 = "NVIDIA A100-SXM4-80GB";
constexpr const char* kT4 = "Tesla T4";
constexpr const char* kV100 = "Tesla V100-SXM2-16GB";

/// So many times what the reference card does.
std::vector<WorkloadScore> times_reference(double factor) {
  std::vector<WorkloadScore> mixed;
  for (const TracedWorkload& workload : core_workloads()) {
    WorkloadScore& row = mixed.emplace_back();
    row.name = workload.id;
    row.workload_class = workload.workload_class;
    row.samples_per_s = factor * reference_samples_per_s(kReferenceGpu, workload.id, WorkloadPrecision::mixed).value();
  }
  return mixed;
}

TEST(AssayIndexOfSamples, IsAHundredForTheReferenceAndGrowsWithIt) {
  EXPECT_NEAR(assay_index(times_reference(1)).value.value(), 100, 1e-9);
  const AssayIndex third = assay_index(times_reference(1.0 / 3));
  EXPECT_NEAR(third.value.value(), 100.0 / 3, 1e-9);
  EXPECT_NEAR(third.classes.decode.value(), 100.0 / 3, 1e-9);
}

TEST(AssayIndexOfSamples, IsOfClassesInEqualParts) {
  auto mixed = times_reference(1);
  for (WorkloadScore& row : mixed)
    if (row.workload_class == WorkloadClass::decode) *row.samples_per_s *= 8;
  const AssayIndex index = assay_index(mixed);
  EXPECT_NEAR(index.classes.decode.value(), 800, 1e-9);
  EXPECT_NEAR(index.classes.train.value(), 100, 1e-9);
  EXPECT_NEAR(index.value.value(), 200, 1e-9) << "the cube root of 100 * 100 * 800";
}

TEST(AssayIndexOfSamples, WithoutOneWorkloadItsClassAndTheIndexAreUnknown) {
  auto mixed = times_reference(1);
  mixed.back().samples_per_s = std::nullopt;
  const AssayIndex index = assay_index(mixed);
  EXPECT_FALSE(index.value);
  EXPECT_FALSE(index.classes.decode);
  EXPECT_TRUE(index.classes.prefill);
  EXPECT_FALSE(assay_index({}).value);
}

TEST(ExpectedScore, OfTheReferenceIsAHundredForEachDevice) {
  // The references were estimated in the same way; both are rounded.
  EXPECT_NEAR(expected_index(*gpu_spec_named(kReferenceGpu)).value(), 100, 1e-3);
  EXPECT_NEAR(expected_score({card(kA100)}).value(), 100, 1e-3);
  EXPECT_NEAR(expected_score({card(kA100), card(kA100)}).value(), 200, 1e-3);
}

TEST(ExpectedScore, AddsSamplesPerSecondUp) {
  const double t4 = expected_score({card(kT4)}).value();
  const double v100 = expected_score({card(kV100)}).value();
  const double both = expected_score({card(kT4), card(kV100)}).value();
  EXPECT_LT(t4, v100);
  EXPECT_GT(both, 2 * t4);
  EXPECT_LT(both, 2 * v100);
  // Sums of unequal ones have a larger geometric mean than the sum of theirs (Mahler's inequality).
  EXPECT_GE(both, t4 + v100 - 1e-3);
  EXPECT_EQ(expected_score({card(kV100), card(kT4)}), both);
  EXPECT_NEAR(expected_score({card(kT4), card(kT4), card(kT4)}).value(), 3 * t4, 1e-4 * t4);
}

TEST(ExpectedScore, AnotherCardOfAKnownNameIsNotGuessed) {
  Device known = card("NVIDIA GeForce RTX 3080"), other = known;
  known.memory_bytes = std::int64_t{10} << 30U;
  known.sm_count = 68;
  other.memory_bytes = std::int64_t{12} << 30U;
  other.sm_count = 70;
  EXPECT_TRUE(expected_score({known}));
  EXPECT_FALSE(expected_score({other}));
}

TEST(ExpectedScore, OfABoardWithTwoDevicesIsThatOfBoth) {
  const double half = expected_index(*gpu_spec_named("K80 (one GK210)")).value();
  EXPECT_NEAR(expected_score({card("Tesla K80"), card("Tesla K80")}).value(), 2 * half, 1e-4 * half);
}

TEST(ExpectedScore, IsUnknownForWhatTheTableDoesNotHave) {
  EXPECT_FALSE(expected_score({}));
  EXPECT_FALSE(expected_score({card("NVIDIA RTX 9999")}));
  EXPECT_FALSE(expected_score({card(kA100), card("NVIDIA RTX 9999")}));
  Device cpu = card(kA100);
  cpu.kind = DeviceKind::cpu;
  EXPECT_FALSE(expected_score({card(kA100), cpu}));
}

TEST(ExpectedScore, IsUnknownForPartsOfAGpu) {
  EXPECT_FALSE(expected_score({card("NVIDIA A100-SXM4-40GB MIG 1g.5gb")}));
  EXPECT_FALSE(expected_score({card("GRID V100D-8C")}));
  Device slice = card(kA100), shared = slice;
  slice.mig = "1g.10gb";
  shared.vgpu = "A100-10C";
  EXPECT_FALSE(expected_score({slice}));
  EXPECT_FALSE(expected_score({shared}));
}

TEST(ExpectedScore, EveryRowOfOneDeviceHasOneAndNoBoardDoes) {
  for (const GpuSpec& spec : gpu_specs()) {
    const auto index = expected_index(spec);
    EXPECT_EQ(index.has_value(), !spec.is_board) << spec.gpu;
    const double value = index.value_or(1);
    EXPECT_TRUE(value > 0.1 && value < 1'000) << spec.gpu << ' ' << value;
  }
  GpuSpec unpublished = *gpu_spec_named(kReferenceGpu);
  unpublished.bandwidth_gb_per_s = std::nullopt;
  EXPECT_FALSE(expected_index(unpublished));
}

}  // namespace
}  // namespace gpuassay
