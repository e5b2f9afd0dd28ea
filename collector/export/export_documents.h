// Which documents go with an export, so that it can be understood, cited, checked and used without asking anybody?
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "collector/export/export_folder.h"

namespace gpuassay {

/// What the documents say of this one export.
struct ExportFacts {
  std::int64_t snapshot_ms = 0;
  std::string duckdb_version;
  std::int64_t suppress_below = 0;
  std::map<std::string, std::int64_t> rows;  ///< of each Parquet file, by its name in the folder
};

/// README.md, DATA_DICTIONARY.md, LICENSE.md, CITATION.cff, croissant.json, join.sql, views.sql and, last, the manifest
/// with the SHA-256 of every file.
void write_documents(const ExportFolder& folder, const ExportFacts& facts);

}  // namespace gpuassay
