// Is what a plan measures a result that can be scored, read back, and is small enough?
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "agent/plan.h"
#include "core/json_guard.h"
#include "core/normalize.h"
#include "core/operations.h"
#include "core/result_json.h"
#include "core/schema.h"
#include "core/score.h"
#include "core/unit_energies.h"
#include "tests/support/example_result.h"
#include "tests/support/planned_machine.h"

namespace gpuassay {
namespace {

using test::kSevenGpus;
using test::machine;

/// A result in which every planned case was measured, with fields as long as they get.
Result full_result(const Inventory& inventory, Profile profile) {
  Result result = test::example_result();
  result.devices = inventory.devices;
  result.measurements.clear();
  for (const Case& planned : plan(inventory, profile)) {
    if (planned.repeat) continue;  // pooled with the first time
    const std::vector<double> samples(static_cast<std::size_t>(planned.limits.stored_samples), 1234560.0);
    Measurement m = test::ok_measurement(planned.params, samples);
    m.device = planned.device;
    m.regime = planned.regime;
    m.algorithm = m.workload == Workload::gemm ? "cublasLt TN algo 66 tile 24 stages 19 split_k 12 cluster 17"
                                               : "cudnn implicit_precomp_gemm NHWC";
    if (planned.gpu_telemetry) {
      m.telemetry->gpu =
          GpuTelemetry{1410, 1395, 1215, 398.5, 71, {{{"sw_power_cap", 0.351}}}, true, 5, 16, 352.1, 398.7};
    }
    if (planned.gpu_telemetry || m.workload == Workload::compute) m.telemetry->sm_clock_stamped_mhz = 1409.8;
    if (m.workload == Workload::compute) m.telemetry->multiprocessors_stamped = 132;
    m.verification->max_error = 1.23e-5;
    m.verification->tolerance = 7.63e-6;
    result.measurements.push_back(std::move(m));
  }
  result.measurements = normalize_all(std::move(result.measurements), result.devices);
  result.summary = summarize(result.devices, result.measurements);
  result.score = score_run(result.devices, result.measurements);
  result.unit_energies = unit_energies(result.score, result.devices, result.measurements);
  for (Device& device : result.devices) {
    device.health = DeviceHealth{0, 0, 0, 0, std::vector<int>{}};
    device.numa_node = 1;
    for (int peer = device.index + 1; peer < static_cast<int>(result.devices.size()); ++peer)
      result.links.push_back({device.index, peer, 18, PcieAncestor::multiple_switches, PeerAccess::not_supported});
  }
  result.time_use = TimeUse{63.21, 10.98, 0.1234};
  return result;
}

TEST(PlanResult, AStandardResultStaysSmallEnoughForOneAndForEight) {
  for (const char* row : kSevenGpus) {
    const std::string one = canonical_json(full_result(machine({row}), Profile::standard));
    // What the machine adds is below 3.5 KB: the price block has all its fields, here as null.
    EXPECT_LE(one.size(), 96'500u) << row;
  }
  const auto eight = machine(std::vector<std::string>(8, "RTX 5090"));  // the card with the most cases
  const std::string text = canonical_json(full_result(eight, Profile::standard));
  EXPECT_LE(text.size(), 390'000u);
  JsonLimits limits;
  limits.max_values = 20'000;
  EXPECT_NO_THROW(parse_untrusted_json(text, limits));
}

TEST(PlanResult, AFullResultCanBeReadBack) {
  for (const std::size_t count : {1u, 8u}) {
    const auto inventory = machine(std::vector<std::string>(count, "RTX 5090"));
    const std::string text = canonical_json(full_result(inventory, Profile::full));
    EXPECT_LE(text.size(), std::size_t{1} << 20U) << "what a collector takes";
    EXPECT_NO_THROW(parse_untrusted_json(text)) << count;
  }
}

TEST(PlanResult, EightOfAKindAreScoredByWhatTheFirstRan) {
  const Result result = full_result(machine(std::vector<std::string>(8, "V100-SXM2-16GB")), Profile::standard);
  ASSERT_EQ(result.score.per_device.size(), 8u);
  for (const DeviceScore& one : result.score.per_device) EXPECT_TRUE(one.value);
  EXPECT_TRUE(result.score.value);
}

TEST(PlanResult, WhatIsMeasuredIsScoredAndKeepsTheSchema) {
  for (const char* row : kSevenGpus) {
    const Result result = full_result(machine({row}), Profile::quick);
    EXPECT_TRUE(result.score.value) << row;
    EXPECT_EQ(result.score.workloads.at(0).batch, 64);
    EXPECT_EQ(schema_violations(to_json(result), "result"), std::vector<std::string>{}) << row;
  }
}

}  // namespace
}  // namespace gpuassay
