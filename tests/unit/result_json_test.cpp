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
  EXPECT_TRUE(document.at("score").at("classes").at("decode").is_null());
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
  bad["measurements"][0]["workload"] = "disk";
  EXPECT_NE(message_of(bad).find("this version knows no other"), std::string::npos);
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

}  // namespace
}  // namespace gpuassay
