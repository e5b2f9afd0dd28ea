#include "collector/published_result.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace gpuassay {
namespace {

/// Where a text stands within its quotes.
struct Place {
  std::size_t at, length;
};

/// The text that is the next member `key` from `from` on. Strings of JSON have no quote without a backslash, so that
/// only a key is followed like this; agents write keys without escapes.
std::optional<Place> next_text(std::string_view body, std::string_view quoted_key, std::size_t from) {
  constexpr std::string_view kSpaces = " \t\r\n";  // of bodies that earlier versions took in
  for (std::size_t found = body.find(quoted_key, from); found != std::string_view::npos;
       found = body.find(quoted_key, found + 1)) {
    const std::size_t colon = body.find_first_not_of(kSpaces, found + quoted_key.size());
    if (colon == std::string_view::npos || body[colon] != ':') continue;
    const std::size_t quote = body.find_first_not_of(kSpaces, colon + 1);
    if (quote == std::string_view::npos || body[quote] != '"') continue;  // null
    std::size_t end = quote + 1;
    while (end < body.size() && body[end] != '"') end += body[end] == '\\' ? 2U : 1U;
    return Place{quote + 1, std::min(end, body.size()) - quote - 1};
  }
  return std::nullopt;
}

/// "2026-11": a name means the same only within a month, as in exports.
std::string month_of(std::string_view body) {
  const auto started_at = next_text(body, "\"started_at\"", 0);
  return started_at ? std::string(body.substr(started_at->at, std::string_view("2026-11").size())) : std::string();
}

}  // namespace

std::string published_result(std::string body, const Surrogates& names) {
  const std::string month = month_of(body);
  for (const std::string_view key : {"\"uuid_hash\"", "\"instance_id_hash\""}) {
    for (auto place = next_text(body, key, 0); place; place = next_text(body, key, place->at)) {
      const std::string name = names.shown(month, key, std::string_view(body).substr(place->at, place->length));
      body.replace(place->at, place->length, name);
      place->at += name.size();
    }
  }
  return body;
}

}  // namespace gpuassay
