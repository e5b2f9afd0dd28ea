#include "core/gpu_lookup.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/ascii.h"
#include "core/error.h"
#include "core/gpu_aliases.h"
#include "core/gpu_names.h"
#include "core/money.h"
#include "core/utf8.h"

namespace gpuassay {
namespace {

constexpr std::size_t kNearestShown = 3;
/// Twice what the longest name has: more cannot be near to any.
constexpr std::size_t kLongestCompared = 64;

/// Lower case, one space between words, none around.
std::string folded(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c != ' ' || (!text.empty() && text.back() != ' ')) text += lower_case(c);
  }
  if (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

/// Levenshtein's distance, with two rows of his table.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> previous(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  std::vector<std::size_t> current(b.size() + 1);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({replaced, previous[j] + 1, current[j - 1] + 1});
    }
    std::swap(previous, current);
  }
  return previous[b.size()];
}

std::size_t distance_to(const GpuSpec& spec, std::string_view wanted) {
  std::size_t least = edit_distance(wanted, folded(spec.gpu));
  for (const std::string& name : spec.nvml_names) least = std::min(least, edit_distance(wanted, folded(name)));
  // "Tesla T5" is as near as "T5" is, and the model's name counts for its forms.
  return std::min(least, edit_distance(wanted, folded(spec.model)));
}

/// The device of which a board has several.
const GpuSpec* device_of(const GpuSpec& board) {
  const auto found = std::find_if(gpu_specs().begin(), gpu_specs().end(), [&](const GpuSpec& each) {
    return !each.is_board && each.nvml_names == board.nvml_names;
  });
  return found == gpu_specs().end() ? nullptr : &*found;
}

using GpuRows = std::vector<const GpuSpec*>;

template <class Condition>
GpuRows devices_where(const Condition& condition) {
  GpuRows found;
  for (const GpuSpec& spec : gpu_specs()) {
    if (!spec.is_board && condition(spec)) found.push_back(&spec);
  }
  return found;
}

/// Rows of the model, form and memory that the name means where people buy GPUs.
GpuRows sold_as(std::string_view name) {
  const auto sold = find_gpu_name(name);
  if (!sold) return {};
  // Price lists round: 11 and 12 GB, 40 and 48 GB stay apart by it.
  constexpr double kMemoryTolerance = 0.1;
  constexpr double kMicros = 1e6;
  return devices_where([&](const GpuSpec& spec) {
    if (spec.model != sold->model || (sold->variant && spec.variant && *sold->variant != *spec.variant)) return false;
    if (!sold->memory_gib) return true;
    const double gib = static_cast<double>(*sold->memory_gib) / kMicros;
    return gib >= spec.memory_gib * (1 - kMemoryTolerance) && gib <= spec.memory_gib * (1 + kMemoryTolerance);
  });
}

std::string names_of(const GpuRows& rows) {
  std::vector<std::string> names;
  names.reserve(rows.size());
  for (const GpuSpec* const row : rows) names.push_back(row->gpu);
  return fmt::format("{}", fmt::join(names, ", "));
}

/// For messages: not longer than a line, and nothing in it that steers a terminal or is not UTF-8.
std::string shown(std::string_view name) {
  std::string start(name.substr(0, kLongestCompared));
  constexpr char kDelete = 0x7F;
  for (char& c : start) {
    if (static_cast<unsigned char>(c) < ' ' || c == kDelete) c = '?';
  }
  return printable_utf8(start) + (name.size() > kLongestCompared ? "..." : "");
}

/// No name of a GPU has bytes that are not UTF-8, or control characters.
bool is_text(std::string_view name) { return !first_bad_utf8(name) && printable_utf8(name).size() == name.size(); }

[[noreturn]] void refuse(const std::string& problem) { throw Error(ErrorCode::usage, problem); }

}  // namespace

std::vector<std::string> nearest_gpu_names(std::string_view name, std::size_t count) {
  const std::string wanted = folded(name.substr(0, kLongestCompared));
  std::vector<std::pair<std::size_t, const GpuSpec*>> by_distance;
  for (const GpuSpec& spec : gpu_specs()) {
    if (!spec.is_board) by_distance.emplace_back(distance_to(spec, wanted), &spec);
  }
  std::stable_sort(by_distance.begin(), by_distance.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> names;
  for (const auto& [distance, spec] : by_distance) {
    if (names.size() < count) names.push_back(spec->gpu);
  }
  return names;
}

FoundGpu find_gpu_by_name(std::string_view name) {
  const std::string wanted = folded(name);
  if (wanted.empty()) refuse("the name of the GPU is empty; name one such as T4");
  for (const GpuSpec& spec : gpu_specs()) {
    if (folded(spec.gpu) != wanted) continue;
    if (!spec.is_board) return {&spec, {}};
    if (const GpuSpec* const device = device_of(spec)) return {device, spec.gpu};
  }
  GpuRows found = devices_where([&](const GpuSpec& spec) {
    return std::any_of(spec.nvml_names.begin(), spec.nvml_names.end(),
                       [&](const std::string& known) { return folded(known) == wanted; });
  });
  if (found.empty() && is_text(name)) {
    const GpuMatch match = find_gpu_spec({std::string(name), {}, {}, {}, {}});
    if (match.mig || match.vgpu) {
      refuse(fmt::format("'{}' is a part of a GPU; estimates are of whole ones{}", shown(name),
                         match.spec != nullptr ? ", here of " + match.spec->gpu : ""));
    }
    if (match.spec != nullptr) found = {match.spec};
  }
  if (found.empty() && is_text(name)) found = sold_as(name);
  if (found.size() == 1) return {found.front(), {}};
  if (found.size() > 1) refuse(fmt::format("'{}' may be any of {}; name one of them", shown(name), names_of(found)));
  refuse(fmt::format("there is no GPU '{}' in the table; the nearest names are {}", shown(name),
                     fmt::join(nearest_gpu_names(name, kNearestShown), ", ")));
}

}  // namespace gpuassay
