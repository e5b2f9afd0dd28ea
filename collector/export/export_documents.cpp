#include "collector/export/export_documents.h"

#include <fmt/format.h>

#include <filesystem>

#include "collector/export/croissant.h"
#include "collector/export/data_dictionary.h"
#include "collector/export/headline.h"
#include "collector/export/run_tables.h"
#include "core/build_info.h"
#include "core/signature.h"
#include "core/timestamp.h"
#include "embedded/DatasetCard.h"
#include "embedded/DatasetCitation.h"
#include "embedded/DatasetLicence.h"
#include "embedded/ExportJoinSql.h"

namespace gpuassay {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

using Fillings = std::map<std::string, std::string>;

/// "@NAME@" becomes the filling of that name.
std::string filled(std::string_view text, const Fillings& fillings) {
  std::string result(text);
  for (const auto& [name, filling] : fillings) {
    const std::string mark = "@" + name + "@";
    for (std::size_t at = result.find(mark); at != std::string::npos; at = result.find(mark, at + filling.size()))
      result.replace(at, mark.size(), filling);
  }
  return result;
}

std::int64_t rows_of(const Table& table, const ExportFacts& facts) {
  std::int64_t rows = 0;
  for (const auto& [file, count] : facts.rows)
    if (file == table.name + ".parquet" || file.rfind(table.name + "/", 0) == 0) rows += count;
  return rows;
}

/// As Hugging Face names sizes: by the rows of the largest table.
std::string size_category(std::int64_t rows) {
  if (rows < 1'000) return "n<1K";
  if (rows < 10'000) return "1K<n<10K";
  if (rows < 100'000) return "10K<n<100K";
  if (rows < 1'000'000) return "100K<n<1M";
  return rows < 10'000'000 ? "1M<n<10M" : "10M<n<100M";
}

std::string suppression(std::int64_t suppress_below) {
  if (suppress_below <= 1) return "Nothing else was left out (`is_suppressed` is false everywhere).";
  return fmt::format(
      "Where fewer than {} machines measured the same provider, instance type, region, GPU model and count, these, the "
      "host's description and the versions of its software are NULL, and `is_suppressed` is true.",
      suppress_below);
}

Fillings fillings_of(const ExportFacts& facts) {
  std::string tables;
  for (const Table* const table : exported_tables())
    tables += fmt::format("| `{}` | {} | {} |\n", table->name, rows_of(*table, facts), table->meaning);
  return {{"SNAPSHOT", format_rfc3339_ms(facts.snapshot_ms)},
          {"DAY", day_of(facts.snapshot_ms)},
          {"VERSION", std::string(build_info().version)},
          {"TABLES", tables},
          {"SIZE", size_category(rows_of(measurements_table(), facts))},
          {"SUPPRESSION", suppression(facts.suppress_below)}};
}

/// Name and SHA-256 of every file but the manifest and what is not part of the export, in the order of names.
std::map<std::string, std::string> hashes_in(const std::string& folder) {
  std::map<std::string, std::string> hashes;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().lexically_relative(folder).string();
    if (entry.is_regular_file() && name.front() != '.') hashes[name] = sha256_hex_of_file(entry.path().string());
  }
  return hashes;
}

json manifest(const ExportFolder& folder, const ExportFacts& facts) {
  json files = json::array();
  for (const auto& [name, sha256] : hashes_in(folder.path())) {
    json file{{"name", name}, {"bytes", fs::file_size(fs::path(folder.path()) / name)}, {"sha256", sha256}};
    if (const auto rows = facts.rows.find(name); rows != facts.rows.end()) file["rows"] = rows->second;
    files.push_back(std::move(file));
  }
  return {{"kind", "gpuassay-export-v1"},
          {"snapshot_at", format_rfc3339_ms(facts.snapshot_ms)},
          {"collector", {{"version", build_info().version}, {"commit", build_info().commit}}},
          {"duckdb", facts.duckdb_version},
          {"suppress_below", facts.suppress_below},
          {"files", std::move(files)}};
}

}  // namespace

void write_documents(const ExportFolder& folder, const ExportFacts& facts) {
  const auto hashes = hashes_in(folder.path());  // of the tables, for the metadata
  const Fillings fillings = fillings_of(facts);
  folder.write_file("README.md", filled(embedded::kDatasetCard, fillings));
  folder.write_file("CITATION.cff", filled(embedded::kDatasetCitation, fillings));
  folder.write_file("LICENSE.md", embedded::kDatasetLicence);
  folder.write_file("DATA_DICTIONARY.md", data_dictionary());
  folder.write_file("views.sql", views_sql());
  folder.write_file("join.sql", std::string(embedded::kExportJoinSql) + ";\n");
  folder.write_file("croissant.json", croissant_metadata(facts, hashes).dump(2) + "\n");
  folder.write_file(kManifestName, manifest(folder, facts).dump(2) + "\n");
}

}  // namespace gpuassay
