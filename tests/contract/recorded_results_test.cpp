// What real GPUs gave (tests/gpu/recorded, written by scripts/gpu_check) is what this program would say of the same
// samples, and what the collector believes.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "collector/plausibility.h"
#include "core/gpu_specs.h"
#include "core/identity.h"
#include "core/normalize.h"
#include "core/result_json.h"
#include "core/schema.h"
#include "core/score.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

struct Recorded {
  std::string name;
  nlohmann::json document;
};

/// Every result of every recorded check.
std::vector<Recorded> recorded_results() {
  std::vector<Recorded> results;
  const auto folder = std::filesystem::path(GPUASSAY_SOURCE_DIR) / "tests/gpu/recorded";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream file(entry.path());
    const auto check = nlohmann::json::parse(file);
    const std::string name = entry.path().filename().string();
    for (const auto& run : check["runs"]) results.push_back({name, run["result"]});
    if (check["full"].is_object()) results.push_back({name + ", full", check["full"]["result"]});
  }
  return results;
}

TEST(RecordedResults, AreRealAndWholeAndRight) {
  const std::vector<Recorded> results = recorded_results();
  EXPECT_GE(results.size(), 3U);
  const SchemaValidator schema("result");
  for (const Recorded& recorded : results) {
    EXPECT_EQ(schema.violations(recorded.document), std::vector<std::string>{}) << recorded.name;
    const Result result = parse_result(recorded.document.dump());
    EXPECT_FALSE(result.simulated) << recorded.name;
    EXPECT_TRUE(result.score.value) << recorded.name;
    for (const Measurement& measurement : result.measurements) {
      EXPECT_EQ(measurement.status, CaseStatus::ok) << recorded.name << ": " << measurement.id;
    }
  }
}

TEST(RecordedResults, FollowFromTheirSamples) {
  for (const Recorded& recorded : recorded_results()) {
    const Result stored = parse_result(recorded.document.dump());
    Result recomputed = stored;
    recomputed.measurements = normalize_all(stored.measurements, stored.devices);
    recomputed.summary = summarize(stored.devices, recomputed.measurements);
    EXPECT_EQ(to_json(recomputed)["summary"], to_json(stored)["summary"]) << recorded.name;
    EXPECT_EQ(to_json(recomputed)["measurements"], to_json(stored)["measurements"]) << recorded.name;
  }
}

std::string doubts_of(const Device& device, const Result& result) {
  std::string text;
  for (const Contradiction& each : identity_contradictions(device, result.measurements))
    text += contradiction_text(each) + "; ";
  return text;
}

TEST(RecordedResults, AreWhatTheySay) {
  for (const Recorded& recorded : recorded_results()) {
    const Result result = parse_result(recorded.document.dump());
    EXPECT_EQ(doubts_of(result.devices.front(), result), "") << recorded.name;
  }
}

/// Not even with everything that a driver tells made to fit the name.
TEST(RecordedResults, AreNoOtherCard) {
  for (const Recorded& recorded : recorded_results()) {
    const Result result = parse_result(recorded.document.dump());
    if (result.agent.profile == "quick") continue;  // too little of it is measured there
    for (const char* name : {"A100-SXM4-80GB", "A100-PCIE-40GB", "L40S", "RTX 4090", "B200-SXM"}) {
      const GpuSpec& claim = *gpu_spec_named(name);
      Device device = result.devices.front();
      device.name = claim.nvml_names.front();
      EXPECT_NE(doubts_of(device, result), "") << recorded.name << " as " << name;
      device.compute_capability = claim.compute_capability;
      device.sm_count = claim.sm_count;
      device.memory_bytes = static_cast<std::int64_t>(claim.memory_gib * 0.98) << 30U;
      device.limits.reset();
      device.pci.reset();
      EXPECT_NE(doubts_of(device, result), "") << recorded.name << " as " << name << ", with a lying driver";
    }
  }
}

TEST(RecordedResults, AreBelievedByTheCollector) {
  for (const Recorded& recorded : recorded_results()) {
    const Result result = parse_result(recorded.document.dump());
    const std::int64_t received_ms = parse_rfc3339_ms(result.finished_at) + 60'000;
    EXPECT_EQ(implausible_parts(result, recompute(result), received_ms), std::vector<std::string>{}) << recorded.name;
  }
}

}  // namespace
}  // namespace gpuassay
