// The quick judge of a schema against the library's: it may be unsure, and must never be wrong.
#include "core/quick_schema.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <utility>

#include "core/schema.h"

namespace gpuassay {
namespace {

using nlohmann::json;
using Verdict = QuickSchema::Verdict;

json read(const std::string& path) {
  std::ifstream file(std::string(GPUASSAY_SOURCE_DIR) + "/" + path);
  return json::parse(file);
}

Verdict judge(const char* schema, const char* document) {
  return QuickSchema(json::parse(schema)).judge(json::parse(document));
}

TEST(QuickSchema, DecidesByTheKeywordsItKnows) {
  EXPECT_EQ(judge(R"({"type": ["integer", "null"], "minimum": 1, "maximum": 3})", "3"), Verdict::valid);
  EXPECT_EQ(judge(R"({"type": ["integer", "null"], "minimum": 1, "maximum": 3})", "null"), Verdict::valid);
  EXPECT_EQ(judge(R"({"type": ["integer", "null"], "minimum": 1, "maximum": 3})", "4"), Verdict::invalid);
  EXPECT_EQ(judge(R"({"exclusiveMinimum": 0})", "0"), Verdict::invalid);
  EXPECT_EQ(judge(R"({"enum": ["a", null]})", R"("b")"), Verdict::invalid);
  EXPECT_EQ(judge(R"({"pattern": "^a+$"})", R"("aab")"), Verdict::invalid);
  EXPECT_EQ(judge(R"({"minItems": 1, "items": {"type": "string"}})", "[]"), Verdict::invalid);
  EXPECT_EQ(judge(R"({"required": ["a"], "properties": {"a": {}}, "additionalProperties": false})", R"({"b": 1})"),
            Verdict::invalid);
  EXPECT_EQ(judge(R"({"propertyNames": {"enum": ["a"]}, "additionalProperties": {"type": "number"}})", R"({"a": 1})"),
            Verdict::valid);
  EXPECT_EQ(judge(R"({"anyOf": [{"type": "string"}, {"type": "null"}]})", "1"), Verdict::invalid);
  const char* const branches = R"({"if": {"properties": {"k": {"const": "x"}}}, "then": {"required": ["a"]}, "else":
                                   {"required": ["b"]}})";
  EXPECT_EQ(judge(branches, R"({"k": "x", "a": 1})"), Verdict::valid);
  EXPECT_EQ(judge(branches, R"({"k": "y", "a": 1})"), Verdict::invalid);
}

TEST(QuickSchema, IsUnsureOfWhatItDoesNotDecide) {
  EXPECT_EQ(judge(R"({"type": "integer"})", "1.0"), Verdict::unsure);
  EXPECT_EQ(judge(R"({"const": 1})", "1.0"), Verdict::unsure);
  EXPECT_EQ(judge(R"({"minimum": 0})", "18446744073709551615"), Verdict::unsure);
  EXPECT_EQ(judge(R"({"maxLength": 1})", R"("\u00e9")"), Verdict::unsure) << "one character, two bytes";
  EXPECT_EQ(judge(R"({"not": {"type": "string"}})", R"("x")"), Verdict::unsure);
  EXPECT_EQ(judge(R"({"properties": {"a": {"uniqueItems": true}}})", R"({"a": [1, 1]})"), Verdict::unsure);
  EXPECT_EQ(judge(R"({"if": {"const": 1}, "then": {"type": "string"}})", "1"), Verdict::unsure);
}

TEST(QuickSchema, IsSureOfWhatAgentsSend) {
  const QuickSchema quick(read("schemas/result.v1.json"));
  for (const char* name :
       {"v100_simulated", "v100_priced_simulated", "a100_simulated", "v100_pair_simulated", "cpu_interrupted"})
    EXPECT_EQ(quick.judge(read(std::string("schemas/examples/valid/") + name + ".json")), Verdict::valid) << name;
}

void collect(json& value, std::vector<json*>& places) {
  places.push_back(&value);
  if (!value.is_structured()) return;
  for (json& part : value) collect(part, places);
}

/// The document with one measurement of each kind and outcome: the library takes long, and more of a kind teach
/// nothing.
json with_one_of_each(json document) {
  std::set<std::string> kinds;
  json few = json::array();
  for (json& each : document["measurements"]) {
    if (kinds.insert(each["workload"].dump() + each["status"].dump() + each["params"]["dtype"].dump()).second)
      few.push_back(std::move(each));
  }
  document["measurements"] = std::move(few);
  return document;
}

/// One place of the document becomes another's value, something odd, or is gone.
json changed(json document, std::mt19937& random) {
  static const std::vector<json> kOdd{nullptr,
                                      true,
                                      0,
                                      -1,
                                      1,
                                      1.5,
                                      1e300,
                                      "",
                                      "cuda",
                                      "gemm",
                                      "a-b",
                                      json::array(),
                                      json::object(),
                                      std::string(300, 'x'),
                                      std::string(200, '\xC3') + "\xA9",
                                      9007199254740992,
                                      UINT64_MAX,
                                      "2026-01-01T00:00:00Z"};
  std::vector<json*> places;
  collect(document, places);
  json& place = *places[random() % places.size()];
  switch (random() % 4) {
    case 0: place = kOdd[random() % kOdd.size()]; break;
    case 1: place = json(*places[random() % places.size()]); break;
    case 2:
      if (place.is_object()) place["extra"] = 1;
      break;
    default:
      if (place.is_structured() && !place.empty())
        place.erase(std::next(place.begin(), static_cast<std::ptrdiff_t>(random() % place.size())));
  }
  return document;
}

TEST(QuickSchema, AgreesWithTheLibraryWhereverItIsSure) {
  const QuickSchema quick(read("schemas/result.v1.json"));
  const SchemaValidator library("result");
  std::mt19937 random(1);  // NOLINT(bugprone-random-generator-seed): the same documents each time
  std::size_t valid = 0;
  std::size_t invalid = 0;
  for (const char* name : {"a100_simulated", "cpu_interrupted"}) {
    const json document = with_one_of_each(read(std::string("schemas/examples/valid/") + name + ".json"));
    for (int round = 0; round < 200; ++round) {
      const json other = changed(document, random);
      const Verdict verdict = quick.judge(other);
      if (verdict == Verdict::unsure) continue;
      ++(verdict == Verdict::valid ? valid : invalid);
      ASSERT_EQ(verdict == Verdict::valid, library.reasons(other).empty()) << other.dump();
    }
  }
  EXPECT_GT(valid, 15U);
  EXPECT_GT(invalid, 170U);
}

}  // namespace
}  // namespace gpuassay
