// What a result must reach to pass as healthy: `--require 'fraction_of_expected>=0.9'`. Pure. docs/GATE.md has the
// names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/model.h"

namespace gpuassay {

enum class Relation { at_least, more_than, at_most, less_than, equal };

struct Requirement {
  std::string text;  ///< as the user wrote it
  std::string path;  ///< all of it, with dots: "summary.instance.gemm_tflop_per_s.fp16.burst"
  Relation relation = Relation::at_least;
  double number = 0;
};

/// PATH, one of `>= > <= < ==`, and a finite number; spaces around them do not count. The last parts of a path are
/// enough where no other path ends with them. Throws Error{usage}, one line: no comparison, no number, or a path that
/// no result can have (with those that look like it) or that several can.
Requirement parse_requirement(std::string_view text);

/// What a result says of one figure; empty where it has none, which satisfies nothing.
struct RequirementAnswer {
  std::optional<double> value;
  bool met = false;
};
RequirementAnswer check_requirement(const Requirement& requirement, const Result& result);

/// One line for each that is not met, with what there is instead.
std::vector<std::string> unmet_requirements(const std::vector<Requirement>& requirements, const Result& result);

}  // namespace gpuassay
