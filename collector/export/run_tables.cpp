#include "collector/export/run_tables.h"

#include <fmt/format.h>

#include <map>

#include "collector/export/run_columns.h"
#include "collector/plausibility.h"
#include "core/json_or_null.h"
#include "core/normalize.h"
#include "core/result_json.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

using nlohmann::json;

constexpr std::int64_t kDayMs = 86'400'000;

const std::vector<Column>& run_key_columns() {
  static const std::vector<Column> kColumns{
      {"run_key", "VARCHAR", "", "Name of the run in the dataset, for ever; it says nothing of its run_id."},
      {"day", "DATE", "", "Day on which the run began, UTC."},
      {"contributor_key", "VARCHAR", "",
       "Name of the machine whose key signed the run, through all its keys; in this month only."},
      {"host_key", "VARCHAR", "",
       "Name of the rented instance, in this month only; of the contributor where the instance was not known."},
      {"gpu_model", "VARCHAR", "",
       "Model of all GPUs; NULL without a GPU, for a mix, and where part of a machine was measured."},
      {"gpu_count", "BIGINT", "", "GPUs of the machine; 0 for a machine without."},
  };
  return kColumns;
}

std::vector<Column> joined(std::vector<Column> columns, const std::vector<Column>& more) {
  columns.insert(columns.end(), more.begin(), more.end());
  return columns;
}

std::vector<Column> offer_columns() {
  return {{"provider", "VARCHAR", "", "Who rents the machine out; unknown where nobody said."},
          {"instance_type", "VARCHAR", "", "The provider's name of the machine's type."},
          {"region", "VARCHAR", "", "The provider's name of the region."},
          {"pricing_model", "VARCHAR", "", "on_demand, spot, preemptible, reserved, monthly or free."},
          {"gpu_variant", "VARCHAR", "", "Variant of all GPUs."},
          {"gpu_memory_bytes", "BIGINT", "", "Memory of one GPU."},
          {"trust", "VARCHAR", "",
           "How far the collector could check: self_reported, recomputed, floor_verified, attested."},
          {"score_version", "VARCHAR", "", "Version of the formula of the score."},
          {"score", "DOUBLE", "", "The Assay Index of the whole machine, computed by the collector."},
          {"is_suppressed", "BOOLEAN", "", "What tells machines apart was left out, as there were too few of them."}};
}

/// A table's columns with the ways to their values, which are looked up for every row.
class RowWriter {
 public:
  explicit RowWriter(const Table& table) : table_(table) {
    for (const Column& column : table.columns) {
      // "/devices/*/name" is taken from the device, and of "/reasons/*/code" every code.
      const std::size_t star = column.pointer.find("/*/");
      const bool is_list = star != std::string::npos && column.type.ends_with("[]") && table.name == "runs";
      if (is_list) {
        ways_.push_back({steps_of(column.pointer.substr(0, star)), steps_of(column.pointer.substr(star + 2))});
      } else {
        ways_.push_back({steps_of(star == std::string::npos ? column.pointer : column.pointer.substr(star + 2)), {}});
      }
    }
  }

  /// `made` has the columns that the collector makes, `document` the part that the row stands for.
  std::string line(const json& made, const json& document, bool is_suppressed) const {
    std::string line = "{";
    for (std::size_t at = 0; at < ways_.size(); ++at) {
      const Column& column = table_.columns[at];
      if (is_suppressed && tells_machines_apart(column.name)) continue;
      if (column.pointer.empty()) {
        if (const auto value = made.find(column.name); value != made.end()) append_member(line, column.name, *value);
      } else if (const json* const value = value_at(document, ways_[at].first)) {
        append_member(line, column.name, ways_[at].second.empty() ? *value : each(*value, ways_[at].second));
      }
    }
    return line + "}\n";
  }

 private:
  static json each(const json& list, const Steps& steps) {
    json values = json::array();
    for (const json& element : list)
      if (const json* const value = value_at(element, steps)) values.push_back(*value);
    return values;
  }

  const Table& table_;
  std::vector<std::pair<Steps, Steps>> ways_;
};

json run_keys(const ExportedRun& run, const Surrogates& surrogates) {
  const RunColumns& stored = run.stored;
  const json* const instance = value_at(run.document, {"platform", "instance_id_hash"});
  const std::string contributor = surrogates.contributor(run.month, run.machine);
  return {{"run_key", surrogates.run(stored.run_id)},
          {"day", day_of(stored.started_at_ms)},
          {"contributor_key", contributor},
          {"host_key", instance != nullptr && instance->is_string()
                           ? surrogates.host(run.month, run.machine, instance->get<std::string>())
                           : contributor},
          {"gpu_model", or_null(stored.gpu_model)},
          {"gpu_count", stored.gpu_count}};
}

json offer(const ExportedRun& run) {
  const RunColumns& stored = run.stored;
  return {{"provider", stored.provider},
          {"instance_type", or_null(stored.instance_type)},
          {"region", or_null(stored.region)},
          {"pricing_model", or_null(stored.pricing_model)},
          {"gpu_variant", or_null(stored.gpu_variant)},
          {"gpu_memory_bytes", or_null(stored.gpu_memory_bytes)},
          {"trust", stored.trust},
          {"score_version", stored.score_version},
          {"score", or_null(stored.score)},
          {"is_suppressed", run.is_suppressed}};
}

/// As the view `results` of the store has them, at noon of the day.
std::string result_line(const ExportedRun& run, const json& keys) {
  static const RowWriter kWriter(results_table());
  const RunColumns& stored = run.stored;
  constexpr std::int64_t kMillionths = 1'000'000;
  constexpr std::int64_t kMebibyte = 1'048'576;
  const std::int64_t day_ms = stored.started_at_ms - stored.started_at_ms % kDayMs;
  json made{{"result_id", keys.at("run_key")},
            {"provider", stored.provider},
            {"instance_key", or_null(stored.instance_key)},
            {"region", or_null(stored.region)},
            {"gpu_model", or_null(stored.gpu_model)},
            {"gpu_variant", or_null(stored.gpu_variant)},
            {"gpu_count_micro", stored.gpu_count * kMillionths},
            {"vcpus_milli", or_null(stored.vcpus_milli)},
            {"memory_mib", or_null(stored.memory_mib)},
            {"pricing_model", or_null(stored.pricing_model)},
            {"measured_at_ms", day_ms + kDayMs / 2},
            {"score", or_null(stored.score)}};
  if (stored.gpu_memory_bytes) made["gpu_memory_mib"] = *stored.gpu_memory_bytes / kMebibyte;
  return kWriter.line(made, nullptr, run.is_suppressed);
}

json name_of_gpu(const ExportedRun& run, const Surrogates& surrogates, const json& device) {
  const auto uuid = device.find("uuid_hash");
  if (uuid == device.end() || !uuid->is_string()) return nullptr;
  return surrogates.gpu(run.month, run.machine, uuid->get<std::string>());
}

const json& figures_of(const json& document, const json& index) {
  static const json kNone = json::object();
  for (const json& summary : document.at("summary").at("devices"))
    if (summary.at("device") == index) return summary;
  return kNone;
}

/// "oom: no room for it" is "oom": what follows, and what is no code, is free text.
json code_of(const json& reason) {
  if (!reason.is_string()) return nullptr;
  const std::string code = reason.get<std::string>().substr(0, reason.get_ref<const std::string&>().find(':'));
  constexpr std::size_t kLongest = 64;
  const bool is_code = code.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
  return is_code && !code.empty() && code.size() <= kLongest ? json(code) : json(nullptr);
}

}  // namespace

const Table& runs_table() {
  static const Table kTable{"runs", "One row for each run: where, when, on what, and what came out.",
                            joined(joined(joined(run_key_columns(), offer_columns()), run_document_columns()),
                                   figure_columns("/summary/instance"))};
  return kTable;
}

const Table& devices_table() {
  static const Table kTable{
      "devices", "One row for each device of each run.",
      joined(joined(joined(run_key_columns(), {{"gpu_key", "VARCHAR", "", "Name of the GPU, in this month only."}}),
                    device_document_columns()),
             figure_columns("/summary/devices/*"))};
  return kTable;
}

const Table& measurements_table() {
  static const Table kTable{
      "measurements", "One row for each measured operation of each device of each run.",
      joined(joined(run_key_columns(), {{"gpu_key", "VARCHAR", "", "Name of the GPU, in this month only."},
                                        {"reason_code", "VARCHAR", "", "Why the status is not ok."}}),
             measurement_document_columns())};
  return kTable;
}

const Table& results_table() {
  static const Table kTable{
      "results",
      "What join.sql reads of each run; instants are noon of the day.",
      {{"result_id", "VARCHAR", "", "The run_key."},
       {"provider", "VARCHAR", "", "As in runs."},
       {"instance_key", "VARCHAR", "", "The instance type as prices are compared by it."},
       {"region", "VARCHAR", "", "As in runs."},
       {"gpu_model", "VARCHAR", "", "As in runs."},
       {"gpu_variant", "VARCHAR", "", "As in runs."},
       {"gpu_count_micro", "BIGINT", "", "GPUs of the machine, in millionths."},
       {"gpus_used_micro", "BIGINT", "", "Always NULL: all of them."},
       {"gpu_memory_mib", "BIGINT", "", "Memory of one GPU."},
       {"vcpus_milli", "BIGINT", "", "CPUs of the machine, in thousandths."},
       {"memory_mib", "BIGINT", "", "Memory of the machine."},
       {"pricing_model", "VARCHAR", "", "As in runs."},
       {"commitment_months", "BIGINT", "", "Always NULL: not known."},
       {"measured_at_ms", "BIGINT", "", "Noon of the day of the run, milliseconds since 1970 UTC."},
       {"score", "DOUBLE", "", "As in runs."}}};
  return kTable;
}

json recomputed_document(const Result& result) {
  Result computed = result;
  Recomputed facts = recompute(result);
  computed.measurements = std::move(facts.measurements);
  computed.score = std::move(facts.score);
  computed.summary = summarize(computed.devices, computed.measurements);
  return to_json(computed);
}

void write_run(const ExportedRun& run, const Surrogates& surrogates, const WriteLine& write) {
  static const RowWriter kRuns(runs_table());
  static const RowWriter kDevices(devices_table());
  static const RowWriter kMeasurements(measurements_table());
  json keys = run_keys(run, surrogates);
  write(results_table(), result_line(run, keys));
  json made = offer(run);
  made.update(keys);
  write(runs_table(), kRuns.line(made, run.document, run.is_suppressed));
  std::map<json, json> names;  // by index; that of a measurement of the whole instance is null, and so is its GPU
  for (const json& device : run.document.at("devices")) {
    const json& index = device.at("index");
    json row = device;
    row.update(figures_of(run.document, index));
    keys["gpu_key"] = names[index] = name_of_gpu(run, surrogates, device);
    write(devices_table(), kDevices.line(keys, row, run.is_suppressed));
  }
  for (const json& measurement : run.document.at("measurements")) {
    keys["gpu_key"] = names[measurement.at("device")];
    keys["reason_code"] = code_of(measurement.at("reason"));
    write(measurements_table(), kMeasurements.line(keys, measurement, run.is_suppressed));
  }
}

std::string month_of(std::int64_t instant_ms) {
  return format_rfc3339_ms(instant_ms).substr(0, std::string_view("2026-11").size());
}
std::string day_of(std::int64_t instant_ms) {
  return format_rfc3339_ms(instant_ms).substr(0, std::string_view("2026-11-20").size());
}

}  // namespace gpuassay
