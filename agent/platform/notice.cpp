#include "agent/platform/notice.h"

#include <fmt/format.h>

#include "agent/probe/text_fields.h"
#include "core/error.h"
#include "core/timestamp.h"

namespace gpuassay {

std::optional<Notice> notice_at(std::string_view time) {
  try {
    return Notice{parse_rfc3339_ms(trim(time))};
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string notice_text(std::string_view provider, const Notice& notice) {
  if (!notice.ends_at_ms) return fmt::format("{} announced that this machine ends soon", provider);
  constexpr std::size_t kToTheSecond = std::string_view("2026-01-02T03:04:05").size();
  const std::string time = format_rfc3339_ms(*notice.ends_at_ms).substr(0, kToTheSecond);
  return fmt::format("{} announced that this machine ends at {}Z", provider, time);
}

}  // namespace gpuassay
