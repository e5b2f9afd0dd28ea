// Which columns do the tables runs, devices, measurements and results have, and what stands in them for one run?
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "collector/export/column.h"
#include "collector/export/surrogates.h"
#include "collector/run_record.h"
#include "core/model.h"

namespace gpuassay {

const Table& runs_table();
const Table& devices_table();
const Table& measurements_table();
/// What join.sql reads.
const Table& results_table();

/// One run of the export: what the store knows of it, and its document with the collector's own figures.
struct ExportedRun {
  RunColumns stored;
  std::string machine;         ///< the first key of the machine that signed it
  std::string month;           ///< "2026-11", of its start in UTC
  nlohmann::json document;     ///< recomputed; see recomputed_document()
  bool is_suppressed = false;  ///< one of too few machines: what tells them apart is left out
};

/// The document with medians, figures, summary and score computed from the samples.
nlohmann::json recomputed_document(const Result& result);

/// Receives a finished line for a table.
using WriteLine = std::function<void(const Table& table, std::string_view line)>;
/// Lines for all four tables.
void write_run(const ExportedRun& run, const Surrogates& surrogates, const WriteLine& write);

/// "2026-11" and "2026-11-20" in UTC.
std::string month_of(std::int64_t instant_ms);
std::string day_of(std::int64_t instant_ms);

}  // namespace gpuassay
