// Texts packed and unpacked in one call.
#pragma once

#include <string>
#include <string_view>

#include "collector/gzip.h"

namespace gpuassay::test {

inline std::string packed(std::string_view text) {
  GzipWriter writer;
  std::string bytes = writer.add(text);
  return bytes + writer.finish();
}

/// "not gzip" for anything else, and for more than 16 MiB.
inline std::string unpacked(std::string_view bytes) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 24U;
  std::string text;
  return gunzip(bytes, kMostBytes, text) == GunzipStatus::ok ? text : "not gzip";
}

}  // namespace gpuassay::test
