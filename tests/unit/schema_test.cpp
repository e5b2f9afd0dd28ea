#include "core/schema.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace gpuassay {
namespace {

constexpr std::string_view kSchema = R"({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object", "required": ["name", "list"], "additionalProperties": false,
  "properties": {
    "name": {"type": "string", "pattern": "^[a-z]+$"},
    "list": {"type": "array", "maxItems": 2, "items": {"$ref": "#/definitions/item"}}
  },
  "definitions": {"item": {"type": "object", "properties": {"a/b~c": {"type": "number", "minimum": 0}}}}
})";

std::string all(const std::vector<std::string>& messages) {
  std::string text;
  for (const auto& message : messages) text += message + "\n";
  return text;
}

TEST(Schema, ValidDocumentHasNoViolations) {
  const auto validator = SchemaValidator::from_text(kSchema);
  EXPECT_TRUE(validator.violations(nlohmann::json{{"name", "x"}, {"list", nlohmann::json::array()}}).empty());
  EXPECT_TRUE(validator.violations({{"name", "x"}, {"list", {{{"a/b~c", 1}}}}}).empty());
}

TEST(Schema, ViolationsNameTheJsonPointer) {
  const auto validator = SchemaValidator::from_text(kSchema);
  EXPECT_NE(all(validator.violations({{"name", "X"}, {"list", nlohmann::json::array()}})).find("/name: "),
            std::string::npos);
  EXPECT_NE(
      all(validator.violations({{"name", "x"}, {"list", {{{"a/b~c", 1}}, {{"a/b~c", -1}}}}})).find("/list/1/a~1b~0c: "),
      std::string::npos);
  EXPECT_NE(all(validator.violations({{"name", "x"}})).find("(whole document): "), std::string::npos);
  EXPECT_NE(all(validator.violations({{"name", "x"}, {"list", nlohmann::json::array()}, {"more", 1}})).find("more"),
            std::string::npos);
}

TEST(Schema, MessagesAreBounded) {
  const auto validator = SchemaValidator::from_text(kSchema);
  nlohmann::json document{{"name", "x"}, {"list", nlohmann::json::array()}};
  for (int i = 0; i < 500; ++i) document["list"].push_back(i);
  EXPECT_EQ(validator.violations(document, 7).size(), 7U);
}

TEST(Schema, KnowsTheResultSchemaAndNoOther) {
  EXPECT_EQ(nlohmann::json::parse(schema_text("result"))["$schema"], "http://json-schema.org/draft-07/schema#");
  EXPECT_FALSE(schema_violations(nlohmann::json::object(), "result").empty());
  EXPECT_THROW(schema_text("nothing"), Error);
  EXPECT_THROW(SchemaValidator("nothing"), Error);
  EXPECT_THROW(SchemaValidator::from_text("{"), Error);
}

}  // namespace
}  // namespace gpuassay
