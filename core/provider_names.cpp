#include "core/provider_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/ascii.h"
#include "core/csv.h"
#include "core/error.h"
#include "core/price_text.h"
#include "embedded/ProviderAliases.h"

namespace gpuassay {
namespace {

std::string folded(std::string_view name) {
  std::string key = lower_case(name);
  std::erase_if(key, [](char c) { return c == ' ' || c == '-' || c == '_' || c == '.'; });
  return key;
}

std::map<std::string, std::string> read_aliases() {
  const CsvTable csv = CsvTable::parse(embedded::kProviderAliases);
  std::map<std::string, std::string> aliases;
  for (std::size_t row = 0; row < csv.row_count(); ++row)
    aliases[folded(csv.cell(row, "alias"))] = std::string(csv.cell(row, "provider"));
  return aliases;
}

}  // namespace

std::string provider_slug(std::string_view name) {
  static const std::map<std::string, std::string> kAliases = read_aliases();
  if (const auto known = kAliases.find(folded(name)); known != kAliases.end()) return known->second;
  std::string slug = lower_case(name);
  constexpr std::size_t kLongestSlug = 64;
  const bool fine = !slug.empty() && slug.size() <= kLongestSlug && std::all_of(slug.begin(), slug.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  if (!fine)
    throw Error(ErrorCode::unreadable_input,
                fmt::format("'{}' is not a provider; write a slug such as aws", name.substr(0, 40)));
  return slug;
}

}  // namespace gpuassay
