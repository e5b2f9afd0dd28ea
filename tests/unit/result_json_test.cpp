#include "core/result_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

using nlohmann::json;

std::string message_of(const json& document) {
  try {
    result_from_json(document);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unreadable_input);
    return error.what();
  }
  return "no error";
}

TEST(ResultJson, RoundTripKeepsEveryByte) {
  const std::string text = canonical_json(test::example_result());
  EXPECT_EQ(canonical_json(parse_result(text)), text);
}

TEST(ResultJson, UnknownIsNullNotMissing) {
  const json document = to_json(test::example_result());
  EXPECT_TRUE(document.at("host").at("os").is_null());
  EXPECT_TRUE(document.at("score").at("expected").is_null());
  EXPECT_FALSE(document.at("summary").at("instance").contains("device"));
}

TEST(ResultJson, MeasurementAloneRoundTrips) {
  for (const Measurement& m : test::example_result().measurements) {
    EXPECT_EQ(to_json(measurement_from_json(to_json(m))), to_json(m));
  }
}

TEST(ResultJson, NewerMinorVersionWithMoreFieldsIsRead) {
  json document = to_json(test::example_result());
  document["schema_version"] = "1.7";
  document["host"]["new_field"] = {{"a", 1}};
  EXPECT_EQ(result_from_json(document).host.logical_cpus, 2);
}

TEST(ResultJson, NewerMajorVersionIsRefusedWithARemedy) {
  json document = to_json(test::example_result());
  document["schema_version"] = "2.0";
  EXPECT_NE(message_of(document).find("schema version 2.0"), std::string::npos);
  EXPECT_NE(message_of(document).find("use the gpuassay version"), std::string::npos);
}

TEST(ResultJson, ErrorsNameThePlace) {
  const json good = to_json(test::example_result());
  json bad = good;
  bad["devices"][0]["index"] = "zero";
  EXPECT_NE(message_of(bad).find("/devices/0/index must be an integer"), std::string::npos);
  bad = good;
  bad["measurements"][2].erase("status");
  EXPECT_NE(message_of(bad).find("/measurements/2/status must be present"), std::string::npos);
  bad = good;
  bad["measurements"][0]["samples_ns"][1] = nullptr;
  EXPECT_NE(message_of(bad).find("/measurements/0/samples_ns/1 must be a number"), std::string::npos);
  bad = good;
  bad["devices"][0]["index"] = 3'000'000'000;
  EXPECT_NE(message_of(bad).find("integer in range"), std::string::npos);
  bad = good;
  bad["status"] = "perfect";
  EXPECT_NE(message_of(bad).find("/status must be one of the known names"), std::string::npos);
  bad = good;
  bad["measurements"][0]["workload"] = "tape";
  EXPECT_NE(message_of(bad).find("/workload must be one of the known names"), std::string::npos);
  bad = good;
  bad["simulated"] = 1;
  EXPECT_NE(message_of(bad).find("/simulated must be true or false"), std::string::npos);
  bad = good;
  bad["measurements"] = json::object();
  EXPECT_NE(message_of(bad).find("/measurements must be an array"), std::string::npos);
  bad = good;
  bad["host"] = 5;
  EXPECT_NE(message_of(bad).find("/host must be an object"), std::string::npos);
  bad = good;
  bad["run_id"] = 5;
  EXPECT_NE(message_of(bad).find("/run_id must be a string"), std::string::npos);
}

TEST(ResultJson, NotAResultAtAll) {
  EXPECT_NE(message_of(json::array()).find("not a gpuassay result"), std::string::npos);
  EXPECT_NE(message_of(json::object()).find("no schema_version"), std::string::npos);
}

TEST(ResultJson, InfinityNeverReachesTheDocument) {
  Result result = test::example_result();
  result.duration_s = 1.0 / 0.0;
  EXPECT_THROW(to_json(result), Error);
}

TEST(ResultJson, ATransferNamesItsHostMemoryAndNothingElseDoes) {
  const auto read_back = [](const OperationParams& params) {
    return measurement_from_json(to_json(test::ok_measurement(params, {1000}))).params;
  };
  const BandwidthParams transfer{BandwidthKernel::d2h, MemoryLevel::pageable, 1000};
  EXPECT_EQ(std::get<BandwidthParams>(read_back(transfer)), transfer);
  EXPECT_THROW(read_back(BandwidthParams{BandwidthKernel::d2h, MemoryLevel::dram, 1000}), Error);
  EXPECT_THROW(read_back(BandwidthParams{BandwidthKernel::triad, MemoryLevel::pinned, 1000}), Error);
  const ComputeParams compute{DType::fp16, ComputeUnit::mma, 4096};
  EXPECT_EQ(std::get<ComputeParams>(read_back(compute)), compute);
  EXPECT_THROW(read_back(ComputeParams{DType::fp16, ComputeUnit::mma, 0}), Error);
  EXPECT_EQ(std::get<LatencyParams>(read_back(LatencyParams{LatencyKind::graph_launch})).kind,
            LatencyKind::graph_launch);
}

TEST(ResultJson, WhatIsNewIn11IsLeftOutWhenEmptyAndReadWhenThere) {
  Result result = test::example_result();
  const json old = to_json(result);
  EXPECT_FALSE(old["summary"]["instance"].contains("latency_us"));
  EXPECT_FALSE(old["measurements"][0]["telemetry"].contains("gpu"));
  EXPECT_EQ(to_json(result_from_json(old)), old) << "a document of 1.0 stays as it is";
  result.summary.instance.latency_us["kernel_launch"].burst = 2.5;
  result.measurements[0].telemetry->gpu = GpuTelemetry{};
  result.devices[0].limits = DeviceLimits{250, 300, std::nullopt, std::nullopt};
  result.devices[0].theoretical = TheoreticalPeak{{}, std::nullopt, {{DType::fp32, 10}}};
  const json document = to_json(result);
  EXPECT_TRUE(document["measurements"][0]["telemetry"]["gpu"]["throttled"].is_null());
  EXPECT_EQ(document["devices"][0]["limits"].size(), 2u);
  EXPECT_EQ(to_json(result_from_json(document)), document);
}

}  // namespace
}  // namespace gpuassay
