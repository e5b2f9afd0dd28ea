// Does a JSON document keep the published schema, and if not, where?
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace gpuassay {

/// The published JSON Schema `name` ("result"), as text. Throws Error{usage} naming the known ones for any other name.
std::string_view schema_text(std::string_view name);

/// One schema, read once. A const object is safe to use from any thread.
class SchemaValidator {
 public:
  /// Throws Error{usage} for an unknown name.
  explicit SchemaValidator(std::string_view schema_name);
  /// For a schema given as draft-07 text; throws Error{internal} when the text is not a schema.
  static SchemaValidator from_text(std::string_view schema_text);
  SchemaValidator(const SchemaValidator&) = delete;
  SchemaValidator& operator=(const SchemaValidator&) = delete;
  SchemaValidator(SchemaValidator&&) noexcept;
  SchemaValidator& operator=(SchemaValidator&&) noexcept;
  ~SchemaValidator();

  /// One line for each place that breaks the schema, "JSON pointer: what is wrong", most specific first, at most
  /// `max_messages`; empty when the document is valid.
  [[nodiscard]] std::vector<std::string> violations(const nlohmann::json& document,
                                                    std::size_t max_messages = 20) const;
  /// The same by the library alone, which violations() asks about documents that are not surely valid.
  [[nodiscard]] std::vector<std::string> reasons(const nlohmann::json& document, std::size_t max_messages = 20) const;

 private:
  struct Parsed;
  explicit SchemaValidator(std::unique_ptr<Parsed> parsed);
  std::unique_ptr<Parsed> parsed_;
};

/// violations() of a validator made for this one document; keep a SchemaValidator to check many.
std::vector<std::string> schema_violations(const nlohmann::json& document, std::string_view schema_name);

}  // namespace gpuassay
