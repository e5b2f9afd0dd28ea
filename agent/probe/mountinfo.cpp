#include "agent/probe/mountinfo.h"

#include <algorithm>
#include <optional>

#include "agent/probe/text_fields.h"

namespace gpuassay {
namespace {

bool is_octal(char c) { return c >= '0' && c <= '7'; }

/// Blank, tab, newline and backslash are written as \040, \011, \012 and \134.
std::string unescape(std::string_view field) {
  std::string text;
  for (std::size_t at = 0; at < field.size(); ++at) {
    if (field[at] == '\\' && field.size() - at > 3 && field[at + 1] <= '3' && is_octal(field[at + 1]) &&
        is_octal(field[at + 2]) && is_octal(field[at + 3])) {
      const int code = (field[at + 1] - '0') * 64 + (field[at + 2] - '0') * 8 + (field[at + 3] - '0');
      text += static_cast<char>(code);
      at += 3;
    } else {
      text += field[at];
    }
  }
  return text;
}

std::optional<Mount> parse_line(std::string_view line) {
  // id parent major:minor root mount_point options [optional...] - fs_type source super_options
  const std::vector<std::string_view> fields = split_fields(line);
  if (fields.size() < 10) return std::nullopt;
  const auto dash = std::find(fields.begin() + 6, fields.end(), "-");
  if (fields.end() - dash < 4) return std::nullopt;
  return Mount{unescape(fields[3]), unescape(fields[4]), unescape(dash[1]), unescape(dash[3])};
}

}  // namespace

std::vector<Mount> parse_mountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  for (const std::string_view line : split(text, '\n')) {
    if (auto mount = parse_line(line)) mounts.push_back(std::move(*mount));
  }
  return mounts;
}

bool has_option(std::string_view options, std::string_view option) {
  const std::vector<std::string_view> parts = split(options, ',');
  return std::find(parts.begin(), parts.end(), option) != parts.end();
}

}  // namespace gpuassay
