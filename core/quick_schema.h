// Does a JSON document surely keep a schema? A yes or no without the reasons, for the documents that do: the library
// that knows the reasons (core/schema.h) takes ten times as long.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <vector>

namespace gpuassay {

/// A draft-07 schema, read once. Knows a part of the keywords, and is unsure about whatever they do not decide. A const
/// object is safe to use from any thread.
class QuickSchema {
 public:
  /// Throws what nlohmann_json and std::regex throw for what is no schema.
  explicit QuickSchema(const nlohmann::json& schema);
  QuickSchema(QuickSchema&&) noexcept;
  QuickSchema& operator=(QuickSchema&&) noexcept;
  ~QuickSchema();

  enum class Verdict { invalid, unsure, valid };
  [[nodiscard]] Verdict judge(const nlohmann::json& document) const;

 private:
  class Reader;
  struct Rule;
  std::vector<std::unique_ptr<Rule>> rules_;  // the first is the whole schema's; they point at each other
};

}  // namespace gpuassay
