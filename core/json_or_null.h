// How is an unknown value written? As null. Include it in .cpp files only: it pulls in the JSON library.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

namespace gpuassay {

template <class T>
nlohmann::json or_null(const std::optional<T>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

}  // namespace gpuassay
