#include "core/gpu_aliases.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <unordered_map>

#include "core/ascii.h"
#include "core/csv.h"
#include "core/error.h"
#include "core/price_text.h"
#include "embedded/GpuAliases.h"

namespace gpuassay {
namespace {

/// One line of the table.
struct Alias {
  std::string model;
  std::optional<std::string> variant;
  std::vector<Micros> memory_gib;
};

struct Table {
  std::unordered_map<std::string, std::vector<Alias>> by_key;
  std::map<std::string, std::string, std::less<>> sxm_of;  ///< model to what its SXM form is called
};

/// A name cut into what counts for the model and what the rest says.
struct NameParts {
  std::string whole;  ///< everything, folded
  std::string key;    ///< without vendor words, memory and form
  std::optional<std::string> form;
  std::optional<Micros> memory_gib;
};

constexpr std::array<std::string_view, 14> kSilentWords{"nvidia", "geforce",  "amd",  "instinct", "gpu",
                                                        "gpus",   "graphics", "hbm2", "hbm2e",    "hbm3",
                                                        "hbm3e",  "gddr6",    "ecc",  "oam"};
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kForms{{{"pcie", "PCIe"},
                                                                               {"pci", "PCIe"},
                                                                               {"sxm2", "SXM2"},
                                                                               {"sxm3", "SXM3"},
                                                                               {"sxm4", "SXM4"},
                                                                               {"sxm5", "SXM5"},
                                                                               {"sxm6", "SXM6"},
                                                                               {"sxm", "SXM"},
                                                                               {"nvl", "NVL"}}};

/// Runs of letters and digits of the lower-case name.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char c : lower_case(name)) {
    if (!is_digit(c) && !is_letter(c)) {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    inside = true;
    words.back() += c;
  }
  return words;
}

/// GiB of "80gb", "80g" and "80gib".
std::optional<Micros> memory_word(std::string_view word) {
  const auto digits = static_cast<std::size_t>(std::find_if_not(word.begin(), word.end(), is_digit) - word.begin());
  constexpr std::size_t kMostDigits = 4;
  const std::string_view unit = word.substr(digits);
  if (digits == 0 || digits > kMostDigits || (unit != "gb" && unit != "g" && unit != "gib")) return std::nullopt;
  return parse_micros(word.substr(0, digits));
}

NameParts parts_of(std::string_view name) {
  constexpr std::size_t kLongestName = 128;
  NameParts parts;
  std::vector<std::string> words = words_of(name.substr(0, kLongestName));
  for (std::size_t at = 0; at + 1 < words.size(); ++at) {  // "80 GB"
    if (memory_word(words[at] + words[at + 1]) && !memory_word(words[at]) && is_letter(words[at + 1].front())) {
      words[at] += words[at + 1];
      words.erase(words.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    }
  }
  for (const std::string& word : words) {
    parts.whole += word;
    if (std::find(kSilentWords.begin(), kSilentWords.end(), word) != kSilentWords.end()) continue;
    const auto form =
        std::find_if(kForms.begin(), kForms.end(), [&](const auto& known) { return known.first == word; });
    if (form != kForms.end()) {
      parts.form = std::string(form->second);
    } else if (const auto memory = memory_word(word)) {
      parts.memory_gib = memory;
    } else {
      parts.key += word;
    }
  }
  return parts;
}

std::vector<Micros> read_sizes(std::string_view text) {
  std::vector<Micros> sizes;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    sizes.push_back(parse_micros(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return sizes;
}

Table read_table() {
  const CsvTable csv = CsvTable::parse(embedded::kGpuAliases);
  Table table;
  for (std::size_t row = 0; row < csv.row_count(); ++row) {
    Alias alias{std::string(csv.cell(row, "model")), csv.optional_cell(row, "variant"),
                read_sizes(csv.cell(row, "memory_gib"))};
    if (const auto sxm = csv.optional_cell(row, "sxm")) table.sxm_of[alias.model] = *sxm;
    std::vector<Alias>& aliases = table.by_key[parts_of(csv.cell(row, "name")).whole];
    const bool known =
        std::any_of(aliases.begin(), aliases.end(), [&](const Alias& other) { return other.model == alias.model; });
    if (!known) aliases.push_back(std::move(alias));
  }
  return table;
}

const Table& table() {
  static const Table kTable = read_table();
  return kTable;
}

const std::vector<Alias>* find_key(const std::string& key) {
  const auto found = table().by_key.find(key);
  return found == table().by_key.end() ? nullptr : &found->second;
}

/// "a100sxm" and "v100sxm2" written without a space: the form becomes a part of its own.
void split_off_form(NameParts& parts) {
  for (const auto& [word, form] : kForms) {
    if (parts.key.size() > word.size() && parts.key.ends_with(word) && !find_key(parts.key)) {
      parts.key.erase(parts.key.size() - word.size());
      parts.form = std::string(form);
      return;
    }
  }
}

bool is_near(Micros memory_gib, Micros known_gib) {
  constexpr Micros kTenths = 10;  // a tenth covers ECC, the driver's share and GB against GiB
  return kTenths * std::abs(memory_gib - known_gib) <= known_gib;
}

[[noreturn]] void refuse(std::string_view name, std::string_view why) {
  throw Error(ErrorCode::unreadable_input, fmt::format("the GPU name '{}' {}", name.substr(0, 60), why));
}

/// A form of the board as the variant of its model: SXM alone is the one that the model comes in, else what was known.
std::optional<std::string> variant_of(const std::string& model, std::string_view form,
                                      const std::optional<std::string>& known) {
  if (form != "SXM") return std::string(form);
  const auto sxm = table().sxm_of.find(model);
  return sxm == table().sxm_of.end() ? known : std::optional(sxm->second);
}

std::string list_of(const std::vector<Alias>& aliases) {
  std::string text;
  for (const Alias& alias : aliases) text += fmt::format("{}{}", text.empty() ? "" : " or ", alias.model);
  return text;
}

}  // namespace

GpuName resolve_gpu_name(std::string_view name, std::optional<Micros> memory_gib) {
  NameParts parts = parts_of(name);
  const std::vector<Alias>* aliases = find_key(parts.whole);
  if (aliases != nullptr) parts.memory_gib.reset();  // the whole name is known: its numbers are part of it
  if (aliases == nullptr) aliases = find_key(parts.key);
  if (aliases == nullptr) {
    split_off_form(parts);
    aliases = find_key(parts.key);
  }
  if (aliases == nullptr) refuse(name, "is not known; add it to core/data/gpu_aliases.csv");
  const std::optional<Micros> memory = memory_gib ? memory_gib : parts.memory_gib;
  std::vector<Alias> fitting = *aliases;
  if (fitting.size() > 1) {
    if (!memory) refuse(name, fmt::format("may be {}; its memory is needed to tell", list_of(fitting)));
    std::erase_if(fitting, [&](const Alias& alias) {
      return std::none_of(alias.memory_gib.begin(), alias.memory_gib.end(),
                          [&](Micros known) { return is_near(*memory, known); });
    });
    if (fitting.size() != 1)
      refuse(name, fmt::format("may be {}; its memory is that of {}", list_of(*aliases),
                               fitting.empty() ? "none of them" : "several"));
  }
  GpuName resolved{fitting.front().model, fitting.front().variant, parts.memory_gib};
  if (parts.form) resolved.variant = variant_of(resolved.model, *parts.form, resolved.variant);
  return resolved;
}

GpuName resolve_gpu_name(std::string_view name, std::optional<Micros> memory_gib, std::string_view variant) {
  GpuName gpu = resolve_gpu_name(name, memory_gib);
  if (gpu.memory_gib && memory_gib && !is_near(*memory_gib, *gpu.memory_gib))
    refuse(name, fmt::format("contradicts the memory beside it, {} GiB for each", format_micros(*memory_gib)));
  if (variant.empty()) return gpu;
  const std::string word = lower_case(variant);
  const auto form = std::find_if(kForms.begin(), kForms.end(), [&](const auto& known) { return known.first == word; });
  if (form == kForms.end())
    throw Error(ErrorCode::unreadable_input,
                fmt::format("'{}' is none of PCIe, SXM2 to SXM6 and NVL", variant.substr(0, 40)));
  const auto stated = variant_of(gpu.model, form->second, gpu.variant);
  if (gpu.variant && stated != gpu.variant) refuse(name, fmt::format("contradicts the variant beside it, {}", variant));
  gpu.variant = stated;
  return gpu;
}

std::optional<GpuName> find_gpu_name(std::string_view name, std::optional<Micros> memory_gib) {
  try {
    return resolve_gpu_name(name, memory_gib);
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::vector<Micros> known_memory_gib(std::string_view model) {
  std::set<Micros> sizes;
  for (const auto& [key, aliases] : table().by_key) {
    for (const Alias& alias : aliases) {
      if (alias.model == model) sizes.insert(alias.memory_gib.begin(), alias.memory_gib.end());
    }
  }
  return {sizes.begin(), sizes.end()};
}

}  // namespace gpuassay
