#include "agent/probe/cpu_list.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "agent/probe/text_fields.h"

namespace gpuassay {
namespace {

/// CPUs first, first + 1, ... last; of every `group` of them only the leading `used`.
struct Range {
  std::int64_t first = 0, last = 0, used = 1, group = 1;
};

std::optional<Range> parse_range(std::string_view text) {
  Range range;
  if (const auto stride = split_key_value(text, ':')) {
    const auto parts = split_key_value(stride->second, '/');
    if (!parts) return std::nullopt;
    const auto used = parse_integer(parts->first);
    const auto group = parse_integer(parts->second);
    if (!used || !group || *used < 1 || *group < *used) return std::nullopt;
    range.used = *used;
    range.group = *group;
    text = stride->first;
  }
  const auto ends = split_key_value(text, '-');
  const auto first = parse_integer(ends ? ends->first : text);
  const auto last = ends ? parse_integer(ends->second) : first;
  if (!first || !last || *first < 0 || *last < *first || *last > kMaxCpuId) return std::nullopt;
  range.first = *first;
  range.last = *last;
  return range;
}

}  // namespace

std::optional<std::vector<int>> parse_cpu_list(std::string_view text) {
  const std::string_view list = trim(text);
  if (list.empty()) return std::nullopt;
  std::vector<int> ids;
  for (const std::string_view part : split(list, ',')) {
    const auto range = parse_range(part);
    // The kernel writes ascending ranges; insisting on it bounds the work whatever the text repeats.
    if (!range || (!ids.empty() && range->first <= ids.back())) return std::nullopt;
    for (std::int64_t id = range->first; id <= range->last; ++id) {
      if ((id - range->first) % range->group < range->used) ids.push_back(static_cast<int>(id));
    }
  }
  return ids;
}

std::vector<int> intersect(const std::vector<int>& a, const std::vector<int>& b) {
  std::vector<int> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

}  // namespace gpuassay
