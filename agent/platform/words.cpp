#include "agent/platform/words.h"

#include <algorithm>

#include "agent/probe/text_fields.h"
#include "core/ascii.h"

namespace gpuassay {
namespace {

constexpr std::size_t kLongestWord = 128, kLongestRegion = 64, kLongestToken = 4096;

bool may_be_in_word(char c) {
  return is_letter(c) || is_digit(c) || std::string_view("._:/+-").find(c) != std::string_view::npos;
}

}  // namespace

bool equals_text(std::string_view text, std::string_view other) {
  return std::equal(text.begin(), text.end(), other.begin(), other.end(),
                    [](char a, char b) { return lower_case(a) == lower_case(b); });
}

bool contains_text(std::string_view text, std::string_view part) {
  return lower_case(text).find(lower_case(part)) != std::string::npos;
}

std::optional<std::string> word(std::string_view text) {
  const std::string_view trimmed = trim(text);
  if (trimmed.empty() || trimmed.size() > kLongestWord) return std::nullopt;
  if (!is_letter(trimmed.front()) && !is_digit(trimmed.front())) return std::nullopt;
  if (!std::all_of(trimmed.begin(), trimmed.end(), may_be_in_word)) return std::nullopt;
  return std::string(trimmed);
}

std::optional<std::string> region_word(std::string_view text) {
  const std::string region = lower_case(trim(text));
  const bool fine =
      !region.empty() && region.size() <= kLongestRegion && region.front() != '-' &&
      std::all_of(region.begin(), region.end(), [](char c) { return is_lower_letter(c) || is_digit(c) || c == '-'; }) &&
      std::any_of(region.begin(), region.end(), is_lower_letter);
  return fine ? std::optional(region) : std::nullopt;
}

std::optional<std::string> token_word(std::string_view text) {
  const std::string_view trimmed = trim(text);
  if (trimmed.empty() || trimmed.size() > kLongestToken) return std::nullopt;
  if (!std::all_of(trimmed.begin(), trimmed.end(), [](char c) { return c > ' ' && c < '\x7f'; })) return std::nullopt;
  return std::string(trimmed);
}

std::optional<std::string> region_of_dashed_zone(std::string_view zone) {
  const std::size_t dash = zone.rfind('-');
  if (dash == std::string_view::npos || dash == 0 || dash + 1 == zone.size()) return std::nullopt;
  return std::string(zone.substr(0, dash));
}

std::string_view last_path_part(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool is_number(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }

bool is_hex_id(std::string_view text, std::string_view prefix, std::size_t least, std::size_t most) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return text.size() >= least && text.size() <= most &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

}  // namespace gpuassay
