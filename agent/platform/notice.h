// What does a provider say about the end of this machine, and in which words does a result repeat it?
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gpuassay {

/// The machine is to be taken away.
struct Notice {
  std::optional<std::int64_t> ends_at_ms;  ///< since 1970 UTC, where it was said

  bool operator==(const Notice&) const = default;
};

/// The notice of a service that says nothing but when, in RFC 3339 ("2026-01-02T03:04:05Z"); empty for any other text.
std::optional<Notice> notice_at(std::string_view time);

/// "aws announced that this machine ends at 2026-01-02T03:04:05Z". Nothing that a server wrote is repeated as it was.
std::string notice_text(std::string_view provider, const Notice& notice);

}  // namespace gpuassay
