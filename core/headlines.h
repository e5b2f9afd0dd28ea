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
  bool instance_only = false;  ///< no device has it by itself
};

const std::vector<HeadlineKind>& headline_kinds();

/// Every headline of a whole instance by its place in the document: "summary.instance.gemm_tflop_per_s.fp16.burst".
const std::vector<std::string>& instance_headline_paths();

/// `path` is one of those; empty where the summary lacks it.
std::optional<double> instance_headline(const DeviceSummary& instance, std::string_view path);

}  // namespace gpuassay
