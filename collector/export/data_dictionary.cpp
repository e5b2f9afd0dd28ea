#include "collector/export/data_dictionary.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "collector/export/headline.h"
#include "collector/export/run_tables.h"
#include "collector/export/store_tables.h"
#include "core/schema.h"

namespace gpuassay {
namespace {

using nlohmann::json;

const json& result_schema() {
  static const json kSchema = json::parse(schema_text("result"));
  return kSchema;
}

/// What `$ref` means, and of several alternatives the one that is not null.
const json* resolved(const json* part) {
  if (const auto ref = part->find("$ref"); ref != part->end())
    return resolved(&result_schema().at(json::json_pointer(ref->get<std::string>().substr(1))));
  if (const auto any = part->find("anyOf"); any != part->end())
    for (const json& alternative : *any)
      if (alternative.value("type", "") != "null") return resolved(&alternative);
  return part;
}

/// The parameters of a measurement are those of one of five operations.
std::vector<const json*> alternatives(const std::string& pointer, const json* part) {
  if (pointer != "/measurements/*/params") return {resolved(part)};
  std::vector<const json*> operations;
  for (const auto& [name, definition] : result_schema().at("definitions").items())
    if (name.ends_with("_params")) operations.push_back(&definition);
  return operations;
}

void collect_fields(const std::string& pointer, const json& schema, std::vector<std::string>& fields) {
  bool is_leaf = true;
  for (const json* const part : alternatives(pointer, &schema)) {
    if (const auto properties = part->find("properties"); properties != part->end()) {
      is_leaf = false;
      for (const auto& [name, below] : properties->items()) collect_fields(pointer + "/" + name, below, fields);
    }
    if (const auto items = part->find("items"); items != part->end() && resolved(&*items)->contains("properties")) {
      is_leaf = false;
      collect_fields(pointer + "/*", *items, fields);
    }
  }
  if (is_leaf && std::find(fields.begin(), fields.end(), pointer) == fields.end()) fields.push_back(pointer);
}

/// The description in the schema of what a pointer names; empty when it has none.
std::string described(const std::string& pointer) {
  const json* part = &result_schema();
  std::string at;
  for (const std::string& step : steps_of(pointer)) {
    const json* next = nullptr;
    for (const json* const alternative : alternatives(at, part)) {
      if (step == "*" && alternative->contains("items")) next = &alternative->at("items");
      if (const auto properties = alternative->find("properties"); properties != alternative->end())
        if (const auto found = properties->find(step); found != properties->end()) next = &*found;
    }
    if (next == nullptr) return {};
    at += "/" + step;
    part = next;
  }
  return part->value("description", "");
}

/// A '|' would end the cell.
std::string cell(std::string text) {
  for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2))
    text.replace(at, 1, "\\|");
  return text;
}

std::string describe(const Table& table) {
  std::string page =
      fmt::format("\n## {}\n\n{}\n\n| column | type | field of the document | meaning |\n|---|---|---|---|\n",
                  table.name, table.meaning);
  for (const Column& column : table.columns) {
    // Types of structures are long; their members have the document's names.
    const std::string type = column.type.substr(0, column.type.find('('));
    page += fmt::format("| `{}` | {}{} | {} | {} |\n", column.name, type, column.type.ends_with(")[]") ? "[]" : "",
                        column.pointer.empty() ? "" : "`" + column.pointer + "`", cell(meaning_of(column)));
  }
  return page;
}

constexpr const char* kIntroduction =
    "# Data dictionary\n\n"
    "Made by `gpuassay-collector export --data-dictionary` from the columns it writes and the published schema of the "
    "result\n"
    "document; a test compares this page with both. `*` in a field stands for every element. Unknown is NULL, never 0. "
    "Units\n"
    "end the names: TFLOP/s is 1e12 per second, GB/s 1e9 per second. The tables runs, devices, measurements and "
    "headline have\n"
    "a further column `month` (`2026-11`, in UTC), which is in the names of their folders.\n";

}  // namespace

std::vector<const Table*> exported_tables() {
  return {&runs_table(),    &devices_table(), &measurements_table(), &headline_table(),
          &results_table(), &prices_table(),  &options_table(),      &deletions_table()};
}

const std::vector<LeftOut>& left_out_fields() {
  static const std::vector<LeftOut> kFields{
      {"/run_id", "tells the millisecond of the start: `run_key` stands for it"},
      {"/simulated", "simulated runs are in no export"},
      {"/started_at", "only the day is published"},
      {"/finished_at", "only the day is published"},
      {"/reasons/*/message", "free text"},
      {"/reasons/*/device", "of the free text"},
      {"/run_cost_usd", "what the contributor said to pay; prices are joined by the collector"},
      {"/agent/commit", "the version says it"},
      {"/agent/build", "free text"},
      {"/platform/instance_id_hash", "an identifier: `host_key` stands for it"},
      {"/platform/provider", "as the collector read it: `provider`"},
      {"/platform/instance_type", "as the collector read it: `instance_type`"},
      {"/platform/region", "as the collector read it: `region`"},
      {"/platform/pricing_model", "as the collector read it: `pricing_model`"},
      {"/platform/source", "says where the agent read the platform"},
      {"/devices/*/simulated", "simulated runs are in no export"},
      {"/devices/*/uuid_hash", "an identifier: `gpu_key` stands for it"},
      {"/libraries/*/rejected_reason", "free text"},
      {"/measurements/*/reason", "free text after its code, which is `reason_code`"},
      {"/summary/devices/*/device", "the row is the device's"},
      {"/summary/across_devices", "follows from the figures of the devices"},
      {"/verdicts/*/device", "of the free text"},
      {"/verdicts/*/message", "free text"},
      {"/verdicts/*/remedy", "free text"},
      {"/score/version", "as the collector computed it: `score_version`"},
      {"/score/value", "as the collector computed it: `score`"},
      {"/score/per_device", "follows from the measurements"},
      {"/fits", "follows from the memory"},
      {"/price", "what the agent found; the collector joins prices of its own: `headline`"},
      {"/score_per_usd_hour", "as /price"},
      {"/unit_costs", "as /price"},
      {"/nodes", "one row is one machine; a run on several has its collectives in measurements"},
      {"/unit_energies", "follows from the measurements and the workloads"},
      {"/unknown", "free text; NULL says that a value is unknown"},
  };
  return kFields;
}

std::vector<std::string> schema_fields() {
  std::vector<std::string> fields;
  collect_fields("", result_schema(), fields);
  return fields;
}

std::string meaning_of(const Column& column) {
  std::string meaning = column.meaning.empty() ? described(column.pointer) : column.meaning;
  if (!meaning.empty() && meaning.back() != '.') meaning += '.';
  return meaning;
}

std::string data_dictionary() {
  std::string page = kIntroduction;
  for (const Table* const table : exported_tables()) page += describe(*table);
  page += "\n## Fields of the document that are in no table\n\n| field | why |\n|---|---|\n";
  for (const LeftOut& field : left_out_fields()) page += fmt::format("| `{}` | {} |\n", field.pointer, field.reason);
  return page;
}

}  // namespace gpuassay
