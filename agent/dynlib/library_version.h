// Which version is a library? One comparable value for every way in which libraries count.
#pragma once

#include <compare>
#include <string>

namespace gpuassay {

struct LibraryVersion {
  int major = 0, minor = 0, patch = 0;

  auto operator<=>(const LibraryVersion&) const = default;
  /// "12.8.4"
  [[nodiscard]] std::string text() const {
    return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
  }
};

}  // namespace gpuassay
