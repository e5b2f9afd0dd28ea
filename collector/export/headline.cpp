#include "collector/export/headline.h"

#include <fmt/format.h>

#include <filesystem>

#include "collector/export/run_tables.h"
#include "collector/export/table_stream.h"
#include "embedded/ExportJoinSql.h"

namespace gpuassay {
namespace {

/// Columns of join.sql under names that say that they are of the price.
struct PriceColumn {
  const char* name;
  const char* type;
  const char* expression;
  const char* meaning;
};

constexpr PriceColumn kPriceColumns[] = {
    {"price_match_level", "VARCHAR", "match_level", "exact_offer, provider_gpu, gpu_only or none; see docs/PRICES.md."},
    {"price_reason", "VARCHAR", "reason", "Why there is no price."},
    {"price_id", "VARCHAR", "price_id", "The row of prices."},
    {"price_instance_hour_usd", "DOUBLE", "price_instance_hour_usd_micro / 1e6", "Of the machine per hour."},
    {"price_gpu_hour_usd", "DOUBLE", "price_gpu_hour_usd_micro / 1e6", "Of one GPU per hour."},
    {"price_candidates", "BIGINT", "candidates", "Prices of equal standing, of which this is the lower median."},
    {"price_age_days", "BIGINT", "age_days", "From the price's last observation to the day of the run."},
    {"price_stale", "BOOLEAN", "CAST(stale AS BOOLEAN)",
     "Older than options.max_age_days; leave such out of rankings."},
    {"cost_hour_usd", "DOUBLE", "cost_hour_usd_micro / 1e6", "What the machine cost per hour."},
    {"score_per_usd_hour", "DOUBLE", "score_per_usd_hour", "Score over cost_hour_usd."},
};

std::string joined_file() { return fmt::format("{}/joined.parquet", kScratch); }

bool is_scalar(const Column& column) { return !column.type.ends_with("[]"); }

std::string headline_sql(const std::string& month) {
  std::string columns;
  for (const Column& column : runs_table().columns)
    if (is_scalar(column)) columns += fmt::format("runs.\"{}\", ", column.name);
  for (const PriceColumn& column : kPriceColumns) columns += fmt::format("{} AS {}, ", column.expression, column.name);
  columns.resize(columns.size() - 2);
  return fmt::format(
      "COPY (SELECT {} FROM '{}/*.parquet' AS runs JOIN '{}' AS joined ON joined.result_id = runs.run_key "
      "ORDER BY COALESCE(runs.gpu_model, ''), runs.run_key) TO '{}' (FORMAT parquet, COMPRESSION zstd)",
      columns, month_folder(runs_table().name, month), joined_file(), part_file(month_folder(kHeadline, month), 0));
}

}  // namespace

const Table& headline_table() {
  static const Table kTable = [] {
    Table made{kHeadline, "runs without its lists, and the price of each run: one wide table for dashboards.", {}};
    for (const Column& column : runs_table().columns)
      if (is_scalar(column)) made.columns.push_back(column);
    for (const PriceColumn& column : kPriceColumns)
      made.columns.push_back({column.name, column.type, "", column.meaning});
    return made;
  }();
  return kTable;
}

std::string views_sql() {
  std::string sql;
  for (const char* const table : {"runs", "devices", "measurements", kHeadline})
    sql += fmt::format(
        "CREATE VIEW {0} AS SELECT * FROM read_parquet('{0}/*/*.parquet', hive_partitioning = true, "
        "hive_types_autocast = false);\n",
        table);
  for (const char* const table : {"results", "prices", "options", "deletions"})
    sql += fmt::format("CREATE VIEW {0} AS SELECT * FROM '{0}.parquet';\n", table);
  return sql;
}

void write_headline(const DuckDb& duckdb, const std::string& folder, const std::vector<std::string>& months) {
  std::string sql;
  for (const char* const table : {"results", "prices", "options"})
    sql += fmt::format("CREATE VIEW {0} AS SELECT * FROM '{0}.parquet';\n", table);
  // The join once; then a child for each month, as one word of a command line takes 128 KiB only.
  sql += fmt::format("COPY ({}) TO '{}' (FORMAT parquet)", embedded::kExportJoinSql, joined_file());
  DuckDbChild(duckdb, folder, sql).finish();
  for (const std::string& month : months) {
    std::filesystem::create_directories(std::filesystem::path(folder) / month_folder(kHeadline, month));
    DuckDbChild(duckdb, folder, headline_sql(month)).finish();
  }
}

}  // namespace gpuassay
