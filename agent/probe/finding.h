// The answer to a question about the machine, or the reason why there is none.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace gpuassay {

struct Finding {
  std::optional<std::string> value;
  std::string reason;  ///< why `value` is absent; empty when it is not
};

inline Finding found(std::string value) { return {std::move(value), {}}; }
inline Finding not_found(std::string reason) { return {std::nullopt, std::move(reason)}; }

}  // namespace gpuassay
