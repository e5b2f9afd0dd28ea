// Metadata findings as lines of text, on their way from the process that asked to the one that measures.
#pragma once

#include <string>
#include <string_view>

#include "agent/platform/rule.h"

namespace gpuassay {

std::string to_text(const MetadataFindings& findings);
/// Lines that to_text() does not make are left out.
MetadataFindings findings_from_text(std::string_view text);

}  // namespace gpuassay
