#include "agent/dynlib/loader_cache.h"

#include <cstdint>
#include <cstring>

namespace gpuassay {
namespace {

// Layout: a header of 48 bytes (20 of magic, the number of entries, the size of the strings, ...), then entries of
// 24 bytes: flags, offset of the name, offset of the path, OS version, hardware capability. Offsets count from the
// header. Numbers are little-endian, as is every machine gpuassay runs on.
constexpr std::string_view kMagic = "glibc-ld.so.cache1.1";
constexpr std::size_t kHeaderBytes = 48, kEntryBytes = 24;
/// ELF, libc 6, x86-64.
constexpr std::uint32_t kFlags = 0x0303;
/// A machine has a few thousand libraries; a larger number is not from ldconfig.
constexpr std::uint32_t kMaxEntries = 1U << 20;

std::uint32_t number_at(std::string_view text, std::size_t at) {
  std::uint32_t value = 0;
  if (at + sizeof value <= text.size()) std::memcpy(&value, text.data() + at, sizeof value);
  return value;
}

/// The NUL-terminated string at `at`; empty when it is outside of the cache.
std::string_view string_at(std::string_view text, std::size_t at) {
  if (at >= text.size()) return {};
  const std::size_t end = text.find('\0', at);
  return end == std::string_view::npos ? std::string_view{} : text.substr(at, end - at);
}

}  // namespace

std::vector<std::string> paths_in_loader_cache(std::string_view cache, std::string_view soname) {
  std::vector<std::string> paths;
  const std::size_t start = cache.find(kMagic);
  if (start == std::string_view::npos) return paths;
  cache.remove_prefix(start);
  const std::uint32_t count = number_at(cache, kMagic.size());
  if (count > kMaxEntries) return paths;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t entry = kHeaderBytes + kEntryBytes * i;
    if (entry + kEntryBytes > cache.size()) break;
    if (number_at(cache, entry) != kFlags || string_at(cache, number_at(cache, entry + 4)) != soname) continue;
    const std::string_view path = string_at(cache, number_at(cache, entry + 8));
    if (!path.empty() && path.front() == '/') paths.emplace_back(path);
  }
  return paths;
}

}  // namespace gpuassay
