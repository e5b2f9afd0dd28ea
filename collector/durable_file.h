// How does a small file get new content so that a crash leaves the old or the new one, whole?
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gpuassay {

/// Puts `content` in the place of the file `path`: written beside it, synced, renamed. Throws Error{not_saved}.
void replace_file(const std::string& path, std::string_view content);

/// What is in the file, of at most `most_bytes`; empty when there is none. Throws Error{unreadable_input}.
std::optional<std::string> read_small_file(const std::string& path, std::size_t most_bytes);

}  // namespace gpuassay
