// Which headline figures can a summary have, and what does one say? Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/model.h"

namespace gpuassay {

/// One of the maps of a DeviceSummary: its name in the document and every key that it can have.
struct HeadlineKind {
  std::string_view name;
  std::map<std::string, RegimeValues> DeviceSummary::*figures = nullptr;
  std::vector<std::string> keys;
};

const std::vector<HeadlineKind>& headline_kinds();

/// Empty where the summary lacks it.
std::optional<double> headline(const DeviceSummary& summary, std::string_view kind, const std::string& key,
                               Regime regime);

}  // namespace gpuassay
