// Which GPU do price lists, clouds and people mean? One reviewed table of names (core/data/gpu_aliases.csv). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/money.h"

namespace gpuassay {

/// A name resolved. Memory and variant are what the name itself says.
struct GpuName {
  std::string model;                   ///< canonical: "Tesla V100", "RTX A6000"
  std::optional<std::string> variant;  ///< "PCIe", "SXM4", ...
  std::optional<Micros> memory_gib;    ///< of one device
};

/// Vendor words, memory sizes and forms of the board in `name` do not count for the model. A name of several cards
/// needs `memory_gib` of one device to tell them apart. Throws Error{unreadable_input} naming the name when nobody
/// knows it or it stays ambiguous: never a guess.
GpuName resolve_gpu_name(std::string_view name, std::optional<Micros> memory_gib = std::nullopt);

/// The same for a name beside which two columns state memory and form. Throws also when they contradict the name: one
/// of them is wrong, and nobody knows which.
GpuName resolve_gpu_name(std::string_view name, std::optional<Micros> memory_gib, std::string_view variant);

/// The same, empty instead of an error.
std::optional<GpuName> find_gpu_name(std::string_view name, std::optional<Micros> memory_gib = std::nullopt);

/// Sizes in GiB that one device of the canonical `model` comes in; empty when the table does not say.
std::vector<Micros> known_memory_gib(std::string_view model);

}  // namespace gpuassay
