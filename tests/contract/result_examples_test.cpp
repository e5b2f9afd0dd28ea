// Writer, reader and schema agree on the same example documents.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "agent/plan.h"
#include "core/normalize.h"
#include "core/result_json.h"
#include "core/schema.h"
#include "core/score.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

std::vector<std::filesystem::path> examples(const char* kind) {
  std::vector<std::filesystem::path> paths;
  const auto folder = std::filesystem::path(GPUASSAY_SOURCE_DIR) / "schemas/examples" / kind;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
  return paths;
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(ResultExamples, ThereAreSome) {
  EXPECT_GE(examples("valid").size(), 2u);
  EXPECT_GE(examples("invalid").size(), 16u);
}

TEST(ResultExamples, ValidOnesPassTheSchemaAndSurviveReaderAndWriter) {
  const SchemaValidator schema("result");
  for (const auto& path : examples("valid")) {
    const auto document = nlohmann::json::parse(text_of(path));
    EXPECT_EQ(schema.violations(document), std::vector<std::string>{}) << path;
    EXPECT_EQ(canonical_json(parse_result(text_of(path))), document.dump()) << path;
  }
}

TEST(ResultExamples, FiguresAndScoreOfValidOnesFollowFromTheirSamples) {
  for (const auto& path : examples("valid")) {
    const Result stored = parse_result(text_of(path));
    Result recomputed = stored;
    recomputed.measurements = normalize_all(stored.measurements, stored.devices);
    recomputed.summary = summarize(stored.devices, recomputed.measurements);
    recomputed.score = score_run(stored.devices, recomputed.measurements);
    EXPECT_EQ(to_json(recomputed), to_json(stored)) << path;
  }
}

TEST(ResultExamples, EveryInvalidOneBreaksTheSchema) {
  const SchemaValidator schema("result");
  for (const auto& path : examples("invalid")) {
    EXPECT_FALSE(schema.violations(nlohmann::json::parse(text_of(path))).empty()) << path;
  }
}

TEST(ResultDocument, WhatTheAgentWritesPassesTheSchema) {
  const SchemaValidator schema("result");
  EXPECT_EQ(schema.violations(to_json(test::example_result())), std::vector<std::string>{});
}

TEST(ResultDocument, AStandardResultStaysBelowOneHundredKilobytes) {
  Inventory inventory;
  inventory.cpu.threads = 2;
  inventory.cpu.has_avx512 = inventory.cpu.has_avx2 = true;
  inventory.cpu.l1d_bytes = inventory.cpu.l2_bytes = inventory.cpu.l3_bytes = 1 << 20;
  inventory.host.memory_bytes = std::int64_t{64} << 30;
  inventory.devices = {test::cpu_device()};
  Result result = test::example_result();
  result.measurements.clear();
  for (const Case& planned : plan(inventory, Profile::standard)) {
    if (planned.repeat) continue;  // pooled with the first time
    // As many samples as are kept, each with as many digits as a slow operation has.
    const std::vector<double> samples(static_cast<std::size_t>(planned.limits.stored_samples), 123456000.0);
    Measurement m = test::ok_measurement(planned.params, samples);
    m.algorithm = "convolution:brgconv:avx512_core_bf16+packed_b";
    result.measurements.push_back(normalize(std::move(m), nullptr));
  }
  EXPECT_LE(canonical_json(result).size(), 100'000u);
}

}  // namespace
}  // namespace gpuassay
