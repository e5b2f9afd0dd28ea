// An /etc/ld.so.cache as ldconfig writes it, for tests of the library search.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gpuassay::test {

struct LoaderCacheEntry {
  std::string soname, path;
  std::uint32_t flags = 0x0303;  ///< ELF, libc 6, x86-64
};

/// The file's bytes: header, entries, strings.
inline std::string loader_cache_text(const std::vector<LoaderCacheEntry>& entries) {
  std::string strings, table;
  const auto put = [&table](std::uint32_t value) {
    for (int byte = 0; byte < 4; ++byte) table += static_cast<char>((value >> (8 * byte)) & 0xffU);
  };
  const auto place = [&](const std::string& text) {
    const std::size_t at = 48 + 24 * entries.size() + strings.size();
    strings += text + '\0';
    return static_cast<std::uint32_t>(at);
  };
  for (const LoaderCacheEntry& entry : entries) {
    put(entry.flags);
    put(place(entry.soname));
    put(place(entry.path));
    table.append(12, '\0');  // OS version, hardware capability
  }
  const std::string body = table;
  table.clear();
  put(static_cast<std::uint32_t>(entries.size()));
  put(static_cast<std::uint32_t>(strings.size()));
  return "glibc-ld.so.cache1.1" + table + std::string(20, '\0') + body + strings;
}

}  // namespace gpuassay::test
