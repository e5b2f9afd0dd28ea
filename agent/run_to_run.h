// What several runs of a machine have in common, for people and as JSON: spread, and differences between machines.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "agent/text_page.h"
#include "core/repeatability.h"

namespace gpuassay {

/// "score 1.2 %  gemm_tflop_per_s.fp16 0.3 %": largest less smallest over the median.
void add_spread(TextPage& page, std::string_view label, const std::vector<HeadlineSeries>& series);
nlohmann::json spread_json(const std::vector<HeadlineSeries>& series);

/// What differs by more than noise, how many figures do not, or that the runs are too few to tell.
void add_differences(TextPage& page, std::string_view label, const std::vector<HeadlineDifference>& differences);
nlohmann::json differences_json(const std::vector<HeadlineDifference>& differences);

}  // namespace gpuassay
