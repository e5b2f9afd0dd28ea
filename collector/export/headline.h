// How do runs and prices become one wide table for dashboards? By the join that is shipped with the export, on its
// files.
#pragma once

#include <string>
#include <vector>

#include "collector/export/column.h"
#include "collector/export/duckdb.h"

namespace gpuassay {

inline constexpr const char* kHeadline = "headline";

const Table& headline_table();

/// Reads the Parquet of the other tables in `folder` and writes the one of `months`, whose folders are there.
void write_headline(const DuckDb& duckdb, const std::string& folder, const std::vector<std::string>& months);

/// CREATE VIEW for every table of an export, for DuckDB started in its folder: join.sql then runs as it is.
std::string views_sql();

}  // namespace gpuassay
