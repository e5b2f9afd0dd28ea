#include "collector/query_string.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/price_text.h"
#include "core/utf8.h"

namespace gpuassay {
namespace {

[[noreturn]] void refuse(std::string_view name, std::string_view why) {
  throw Error(ErrorCode::usage, fmt::format("the parameter {} {}", name, why));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decoded(std::string_view text) {
  constexpr std::ptrdiff_t kLongest = 512;
  const auto begins_character = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
  auto plain = percent_decoded(text);
  if (!plain || first_bad_utf8(*plain) || std::count_if(plain->begin(), plain->end(), begins_character) > kLongest)
    throw Error(ErrorCode::usage, "the parameters are not percent-encoded UTF-8 of at most 512 characters each");
  if (std::any_of(plain->begin(), plain->end(),
                  [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; }))
    throw Error(ErrorCode::usage, "the parameters have a control character");
  return *std::move(plain);
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      plain += text[at] == '+' ? ' ' : text[at];
      continue;
    }
    if (at + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[at + 1]);
    const int low = hex_digit(text[at + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    constexpr int kHex = 16;
    plain += static_cast<char>(high * kHex + low);
    at += 2;
  }
  return plain;
}

QueryString::QueryString(std::string_view text, std::initializer_list<std::string_view> known) {
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string name = decoded(pair.substr(0, equals));
    if (std::find(known.begin(), known.end(), name) == known.end()) refuse(name.substr(0, 60), "is not known here");
    std::string value = decoded(pair.substr(std::min(equals + 1, pair.size())));
    if (value.empty()) refuse(name, "is empty; leave it out");
    if (!values_.emplace(name, std::move(value)).second) refuse(name, "occurs twice");
  }
}

std::optional<std::string> QueryString::text(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::int64_t> QueryString::integer(std::string_view name, std::int64_t lowest,
                                                 std::int64_t highest) const {
  const auto value = text(name);
  if (!value) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (problem != std::errc() || end != value->data() + value->size() || number < lowest || number > highest)
    refuse(name, fmt::format("must be a whole number from {} to {}", lowest, highest));
  return number;
}

std::optional<double> QueryString::number(std::string_view name, double lowest, double highest) const {
  const auto value = text(name);
  if (!value) return std::nullopt;
  char* end = nullptr;
  const double number = std::strtod(value->c_str(), &end);
  if (end != value->c_str() + value->size() || !std::isfinite(number) || number < lowest || number > highest)
    refuse(name, fmt::format("must be a number from {} to {}", lowest, highest));
  return number;
}

std::optional<std::int64_t> QueryString::instant_ms(std::string_view name) const {
  const auto value = text(name);
  if (!value) return std::nullopt;
  try {
    return read_as_of(*value).first_ms;
  } catch (const Error&) {
    refuse(name, "must be a day or an instant such as 2026-01-31T12:00:00Z");
  }
}

bool QueryString::flag(std::string_view name) const {
  const auto value = text(name);
  if (!value || *value == "false") return false;
  if (*value != "true") refuse(name, "must be true or false");
  return true;
}

}  // namespace gpuassay
