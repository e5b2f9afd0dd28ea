#include "collector/export/croissant.h"

#include <fmt/format.h>

#include "collector/export/data_dictionary.h"
#include "collector/export/headline.h"
#include "collector/export/run_tables.h"
#include "core/build_info.h"

namespace gpuassay {
namespace {

using nlohmann::json;

// What mlcroissant reads as Parquet; the registered application/vnd.apache.parquet it does not know.
constexpr const char* kParquet = "application/x-parquet";

/// The context that the specification prints.
json context() {
  json names{{"@language", "en"},
             {"@vocab", "https://schema.org/"},
             {"cr", "http://mlcommons.org/croissant/"},
             {"rai", "http://mlcommons.org/croissant/RAI/"},
             {"dct", "http://purl.org/dc/terms/"},
             {"sc", "https://schema.org/"},
             {"conformsTo", "dct:conformsTo"},
             {"data", {{"@id", "cr:data"}, {"@type", "@json"}}},
             {"dataType", {{"@id", "cr:dataType"}, {"@type", "@vocab"}}},
             {"examples", {{"@id", "cr:examples"}, {"@type", "@json"}}}};
  for (const char* const name : {"citeAs",       "column",        "equivalentProperty",
                                 "extract",      "field",         "fileProperty",
                                 "fileObject",   "fileSet",       "format",
                                 "includes",     "isLiveDataset", "jsonPath",
                                 "key",          "md5",           "parentField",
                                 "path",         "recordSet",     "references",
                                 "regex",        "repeated",      "replace",
                                 "samplingRate", "separator",     "source",
                                 "subField",     "transform"})
    names[name] = fmt::format("cr:{}", name);
  return names;
}

const char* data_type(std::string_view type) {
  if (type == "BIGINT") return "sc:Integer";
  if (type == "DOUBLE") return "sc:Float";
  if (type == "BOOLEAN") return "sc:Boolean";
  if (type == "DATE") return "sc:Date";
  if (type == "VARCHAR") return "sc:Text";
  return nullptr;
}

bool is_partitioned(const Table& table, const ExportFacts& facts) {
  return facts.rows.count(table.name + ".parquet") == 0;
}

json source_of(const Table& table, const ExportFacts& facts) {
  if (is_partitioned(table, facts)) return {{"fileSet", {{"@id", table.name + "-files"}}}};
  return {{"fileObject", {{"@id", table.name + ".parquet"}}}};
}

json record_set(const Table& table, const ExportFacts& facts) {
  json fields = json::array();
  for (const Column& column : table.columns) {
    const bool is_list = column.type.ends_with("[]");
    const char* const type = data_type(is_list ? column.type.substr(0, column.type.size() - 2) : column.type);
    if (type == nullptr) continue;
    const std::string id = fmt::format("{}/{}", table.name, column.name);
    json source = source_of(table, facts);
    source["extract"] = {{"column", column.name}};
    json field{{"@type", "cr:Field"}, {"@id", id},
               {"name", id},          {"description", meaning_of(column)},
               {"dataType", type},    {"source", std::move(source)}};
    if (is_list) field["repeated"] = true;
    fields.push_back(std::move(field));
  }
  return {{"@type", "cr:RecordSet"},
          {"@id", table.name},
          {"name", table.name},
          {"description", table.meaning},
          {"field", std::move(fields)}};
}

json distribution(const ExportFacts& facts, const std::map<std::string, std::string>& sha256) {
  json files = json::array();
  for (const Table* const table : exported_tables()) {
    if (is_partitioned(*table, facts)) {
      const std::string id = table->name + "-files";
      files.push_back({{"@type", "cr:FileSet"},
                       {"@id", id},
                       {"name", id},
                       {"encodingFormat", kParquet},
                       {"includes", table->name + "/*/*.parquet"}});
    } else {
      const std::string id = table->name + ".parquet";
      files.push_back({{"@type", "cr:FileObject"},
                       {"@id", id},
                       {"name", id},
                       {"encodingFormat", kParquet},
                       {"contentUrl", id},
                       {"sha256", sha256.at(id)}});
    }
  }
  return files;
}

}  // namespace

json croissant_metadata(const ExportFacts& facts, const std::map<std::string, std::string>& sha256) {
  json sets = json::array();
  for (const Table* const table : exported_tables()) sets.push_back(record_set(*table, facts));
  const std::string day = day_of(facts.snapshot_ms);
  return {{"@context", context()},
          {"@type", "sc:Dataset"},
          {"name", "gpuassay"},
          {"description",
           "Measured matrix multiplication, convolution and memory bandwidth of rented GPUs and CPUs, every output "
           "verified and "
           "every figure computed again from its raw samples, with hourly prices and the join between them."},
          {"conformsTo", "http://mlcommons.org/croissant/1.0"},
          {"license", "https://creativecommons.org/licenses/by/4.0/"},
          {"version", fmt::format("{}+{}", build_info().version, day)},
          {"datePublished", day},
          {"creator", {{"@type", "sc:Organization"}, {"name", "The gpuassay contributors"}}},
          {"citeAs", fmt::format("The gpuassay contributors: gpuassay, measured rented GPUs. Export of {}.", day)},
          {"keywords", {"GPU", "benchmark", "cloud", "price"}},
          {"isLiveDataset", true},
          {"distribution", distribution(facts, sha256)},
          {"recordSet", std::move(sets)}};
}

}  // namespace gpuassay
