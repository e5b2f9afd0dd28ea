// Where would the system's loader find a library? Reads the table that ldconfig writes, /etc/ld.so.cache, so that the
// answer is known without loading anything.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gpuassay {

/// Paths that a loader cache (glibc's "1.1" layout, alone or after the older one) has for `soname` on x86-64, in its
/// order. A text that is no such cache, or is cut off, has none.
std::vector<std::string> paths_in_loader_cache(std::string_view cache, std::string_view soname);

}  // namespace gpuassay
