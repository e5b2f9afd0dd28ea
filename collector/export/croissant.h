// How does the export describe itself to programs? As Croissant 1.0 metadata (http://mlcommons.org/croissant/1.0).
#pragma once

#include <nlohmann/json.hpp>

#include "collector/export/export_documents.h"

namespace gpuassay {

/// `sha256` of the single files by name. Lists of structures and maps are left out: Croissant has no type for them.
nlohmann::json croissant_metadata(const ExportFacts& facts, const std::map<std::string, std::string>& sha256);

}  // namespace gpuassay
