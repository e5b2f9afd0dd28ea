#include "agent/probe/text_fields.h"

#include <charconv>
#include <limits>

namespace gpuassay {
namespace {

constexpr std::string_view kBlanks(" \t\n\v\f\r\0", 7);
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

unsigned byte_at(std::string_view text, std::size_t index) { return static_cast<unsigned char>(text[index]); }

/// One decoded code point: `length` bytes, invalid when `length` is 0.
struct CodePoint {
  std::uint32_t value = 0;
  std::size_t length = 0;
};

/// Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
CodePoint decode(std::string_view text, std::size_t at) {
  const unsigned lead = byte_at(text, at);
  if (lead < 0x80) return {lead, 1};
  std::size_t length = 0;
  std::uint32_t value = 0;
  std::uint32_t smallest = 0;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2, value = lead & 0x1F, smallest = 0x80;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3, value = lead & 0x0F, smallest = 0x800;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4, value = lead & 0x07, smallest = 0x10000;
  } else {
    return {};
  }
  if (text.size() - at < length) return {};
  for (std::size_t i = 1; i < length; ++i) {
    const unsigned next = byte_at(text, at + i);
    if ((next & 0xC0) != 0x80) return {};
    value = (value << 6) | (next & 0x3F);
  }
  if (value < smallest || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {};
  return {value, length};
}

/// Characters that would move the cursor or reorder text on a terminal.
bool is_dangerous(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

}  // namespace

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> split_fields(std::string_view text) {
  std::vector<std::string_view> fields;
  for (std::size_t at = text.find_first_not_of(" \t"); at != std::string_view::npos;) {
    const std::size_t end = text.find_first_of(" \t", at);
    fields.push_back(text.substr(at, end == std::string_view::npos ? end : end - at));
    at = end == std::string_view::npos ? end : text.find_first_not_of(" \t", end);
  }
  return fields;
}

std::optional<std::pair<std::string_view, std::string_view>> split_key_value(std::string_view line, char separator) {
  const std::size_t at = line.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  return std::pair(trim(line.substr(0, at)), trim(line.substr(at + 1)));
}

std::optional<std::string_view> value_of_key(std::string_view text, std::string_view key, char separator) {
  for (const std::string_view line : split(text, '\n')) {
    const auto pair = split_key_value(line, separator);
    if (pair && pair->first == key) return pair->second;
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  const std::string_view digits = trim(text);
  std::int64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (digits.empty() || error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_size_bytes(std::string_view text) {
  std::string_view number = trim(text);
  if (!number.empty() && number.back() == 'B') number.remove_suffix(1);
  int shift = 0;
  if (!number.empty()) {
    const char suffix = number.back();
    shift = suffix == 'k' || suffix == 'K' ? 10 : suffix == 'M' ? 20 : suffix == 'G' ? 30 : 0;
    if (shift > 0) number.remove_suffix(1);
  }
  const auto value = parse_integer(number);
  if (!value || *value < 0 || *value > (std::numeric_limits<std::int64_t>::max() >> shift)) return std::nullopt;
  return *value << shift;
}

std::optional<std::string> clean_text(std::string_view text) {
  std::string clean;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = decode(text, at);
    const std::string_view piece = point.length == 0 ? kReplacement : text.substr(at, point.length);
    at += point.length == 0 ? 1 : point.length;
    if (point.length != 0 && is_dangerous(point.value)) continue;
    if (piece == " " && (clean.empty() || clean.back() == ' ')) continue;
    if (clean.size() + piece.size() > kMaxPublishedBytes) break;
    clean += piece;
  }
  if (!clean.empty() && clean.back() == ' ') clean.pop_back();
  if (clean.empty()) return std::nullopt;
  return clean;
}

}  // namespace gpuassay
