#include "core/gpu_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <map>
#include <regex>
#include <string_view>
#include <utility>

#include "core/ascii.h"
#include "core/gpu_aliases.h"

namespace gpuassay {
namespace {

constexpr double kGib = 1024.0 * 1024.0 * 1024.0;
/// ECC, the driver's share and GB against GiB take less than this; 11 and 12, 40 and 48 GB stay apart by it.
constexpr double kMemoryTolerance = 0.10;

/// Names of vGPU types code the physical card in letters. Source: NVIDIA virtual GPU software, supported vGPU types.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kVgpuCards{{{"V100", "V100-PCIE-16GB"},
                                                                                    {"V100X", "V100-SXM2-16GB"},
                                                                                    {"V100D", "V100-PCIE-32GB"},
                                                                                    {"V100DX", "V100-SXM2-32GB"},
                                                                                    {"V100S", "V100S-PCIE-32GB"},
                                                                                    {"A100", "A100-PCIE-40GB"},
                                                                                    {"A100X", "A100-SXM4-40GB"},
                                                                                    {"A100D", "A100-PCIE-80GB"},
                                                                                    {"A100DX", "A100-SXM4-80GB"},
                                                                                    {"H100XM", "H100-SXM5-80GB"}}};

/// A driver's name taken apart.
struct ParsedName {
  std::string card;  ///< without vendor words, MIG profile and vGPU size
  std::optional<std::string> mig, vgpu;
};

std::string without_prefix(std::string text, std::string_view prefix) {
  const bool has =
      text.size() > prefix.size() && std::equal(prefix.begin(), prefix.end(), text.begin(),
                                                [](char a, char b) { return lower_case(a) == lower_case(b); });
  return has ? text.substr(prefix.size()) : text;
}

/// One space between words, none around.
std::string single_spaced(std::string_view text) {
  std::string clean;
  for (const char c : text) {
    if (c != ' ' || (!clean.empty() && clean.back() != ' ')) clean += c;
  }
  if (!clean.empty() && clean.back() == ' ') clean.pop_back();
  return clean;
}

ParsedName parse_name(std::string_view name) {
  static const std::regex kMigPattern(R"((.+) MIG ([0-9a-z.+]+))");
  static const std::regex kVgpuPattern(R"((.+?)-((?:[0-9]+-)?[0-9]+[ABCQ]4?))");
  ParsedName parsed;
  // Far longer than any real name: a hostile one would make the patterns slow.
  constexpr std::size_t kLongestName = 128;
  std::string text = single_spaced(name.substr(0, kLongestName));
  std::smatch parts;
  if (std::regex_match(text, parts, kMigPattern)) {
    parsed.mig = parts[2].str();
    text = std::string(parts[1].str());
  }
  text = without_prefix(without_prefix(text, "NVIDIA "), "Tesla ");
  const std::string granted = without_prefix(text, "GRID ");
  if (std::regex_match(granted, parts, kVgpuPattern)) {
    parsed.vgpu = granted;
    text = std::string(parts[1].str());
  }
  parsed.card = text;
  return parsed;
}

/// The cards, folded, of all names that the table has: to take a name apart costs more than everything else done with
/// it.
const std::string& card_of_known(const std::string& name) {
  static const std::map<std::string, std::string> kCards = [] {
    std::map<std::string, std::string> cards;
    for (const GpuSpec& spec : gpu_specs())
      for (const std::string& known : spec.nvml_names) cards.emplace(known, lower_case(parse_name(known).card));
    return cards;
  }();
  return kCards.at(name);
}

bool is_called(const GpuSpec& spec, const ParsedName& name) {
  const std::string wanted = lower_case(name.card);
  if (name.vgpu) {
    for (const auto& [code, gpu] : kVgpuCards) {
      if (lower_case(code) == wanted) return spec.gpu == gpu;
    }
    // "GRID RTX6000-24Q", "NVIDIA A10-24C", "GRID T4-16C": the model's name without spaces and family.
    std::string compact = lower_case(without_prefix(without_prefix(spec.model, "Tesla "), "Quadro "));
    std::erase(compact, ' ');
    return compact == wanted;
  }
  return std::any_of(spec.nvml_names.begin(), spec.nvml_names.end(),
                     [&](const std::string& known) { return card_of_known(known) == wanted; });
}

bool has_pci_id(const GpuSpec& spec, const std::optional<std::string>& pci_device_id) {
  return pci_device_id && std::find(spec.pci_device_ids.begin(), spec.pci_device_ids.end(),
                                    lower_case(*pci_device_id)) != spec.pci_device_ids.end();
}

bool memory_fits(const GpuSpec& spec, const GpuIdentity& identity) {
  if (!identity.memory_bytes) return true;
  const double gib = static_cast<double>(*identity.memory_bytes) / kGib;
  return std::abs(gib - spec.memory_gib) <= kMemoryTolerance * spec.memory_gib;
}

/// Nothing that is known speaks against the row. A slice has a part of the memory, a MIG slice of the processors too.
bool agrees(const GpuSpec& spec, const GpuIdentity& identity, const ParsedName& name) {
  const bool slice = name.mig || name.vgpu;
  if (spec.is_board) return false;
  if (identity.compute_capability && *identity.compute_capability != spec.compute_capability) return false;
  if (identity.sm_count && (name.mig ? *identity.sm_count > spec.sm_count : *identity.sm_count != spec.sm_count)) {
    return false;
  }
  return slice || memory_fits(spec, identity);
}

/// Memory as price lists state it.
std::optional<Micros> listed_memory(const GpuIdentity& identity) {
  if (!identity.memory_bytes || *identity.memory_bytes < 0) return std::nullopt;
  return Ratio(Decimal{static_cast<std::uint64_t>(*identity.memory_bytes), 0})
      .over(Ratio(Decimal{1U << 30U, 0}))
      .micros();
}

using Specs = std::vector<const GpuSpec*>;

template <class Condition>
Specs specs_where(const Condition& condition) {
  Specs found;
  for (const GpuSpec& spec : gpu_specs()) {
    if (condition(spec)) found.push_back(&spec);
  }
  return found;
}

/// The value all rows share.
template <class Field>
std::optional<std::string> common(const Specs& specs, const Field& field) {
  std::optional<std::string> shared;
  for (const GpuSpec* spec : specs) {
    const std::optional<std::string> value = field(*spec);
    if (spec != specs.front() && value != shared) return std::nullopt;
    shared = value;
  }
  return shared;
}

}  // namespace

GpuMatch find_gpu_spec(const GpuIdentity& identity) {
  const ParsedName name = parse_name(identity.name);
  GpuMatch match;
  match.mig = name.mig;
  match.vgpu = name.vgpu;
  Specs named = specs_where([&](const GpuSpec& spec) { return is_called(spec, name); });
  // Inside a vGPU the PCI device id is the physical card's, and it says more than the type's letters.
  Specs by_id = specs_where([&](const GpuSpec& spec) { return has_pci_id(spec, identity.pci_device_id); });
  if (named.empty() || (name.vgpu && !by_id.empty())) named = by_id;
  if (named.empty()) {
    match.reason = "the table of GPUs has no card of this name or PCI device id";
    // Its prices can be known all the same: price lists name more cards than datasheets were read of.
    if (const auto listed = find_gpu_name(name.card, listed_memory(identity))) {
      match.model = listed->model;
      match.variant = listed->variant;
    }
    return match;
  }
  match.model = common(named, [](const GpuSpec& spec) { return std::optional(spec.model); });
  Specs fitting = named;
  std::erase_if(fitting, [&](const GpuSpec* spec) { return !agrees(*spec, identity, name); });
  if (fitting.size() > 1) {
    Specs of_id = fitting;
    std::erase_if(of_id, [&](const GpuSpec* spec) { return !has_pci_id(*spec, identity.pci_device_id); });
    if (!of_id.empty()) fitting = of_id;
  }
  if (fitting.size() == 1) {
    match.spec = fitting.front();
    match.model = match.spec->model;
    match.variant = match.spec->variant;
  } else if (fitting.empty()) {
    match.reason = "memory, multiprocessors or compute capability are not those of the known card of this name";
  } else {
    match.variant = common(fitting, [](const GpuSpec& spec) { return spec.variant; });
    match.reason = fmt::format("{} known cards have this name and nothing tells them apart", fitting.size());
  }
  return match;
}

std::vector<const GpuSpec*> specs_called(const std::string& name) {
  const ParsedName parsed = parse_name(name);
  if (parsed.mig || parsed.vgpu) return {};
  return specs_where([&](const GpuSpec& spec) { return !spec.is_board && is_called(spec, parsed); });
}

bool same_kind(const Device& a, const Device& b) {
  return a.kind == DeviceKind::cuda && b.kind == DeviceKind::cuda && a.name == b.name &&
         a.memory_bytes == b.memory_bytes && a.sm_count == b.sm_count;
}

}  // namespace gpuassay
