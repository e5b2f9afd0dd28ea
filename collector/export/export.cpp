#include "collector/export/export.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "collector/export/duckdb.h"
#include "collector/export/export_documents.h"
#include "collector/export/export_folder.h"
#include "collector/export/headline.h"
#include "collector/export/run_stream.h"
#include "collector/export/run_tables.h"
#include "collector/export/store_tables.h"
#include "collector/export/table_stream.h"
#include "collector/run_query.h"
#include "core/error.h"
#include "core/json_guard.h"
#include "core/result_json.h"

namespace gpuassay {
namespace {

namespace fs = std::filesystem;

/// Measured bodies are read again with the limits that let them in.
nlohmann::json document_of(const RunColumns& run, std::string_view body) {
  try {
    return recomputed_document(parse_result(body));
  } catch (const Error& error) {
    throw Error(ErrorCode::database,
                fmt::format("the stored body of {} cannot be read ({}); see what `gpuassay-collector verify` says",
                            run.run_id, error.what()));
  }
}

/// Writes the tables into the folder, in one snapshot; keeps how many rows each file must have.
class TableExport {
 public:
  TableExport(Database& database, const Surrogates& surrogates, const DuckDb& duckdb, std::string root,
              const ExportOptions& options)
      : database_(database),
        surrogates_(surrogates),
        duckdb_(duckdb),
        root_(std::move(root)),
        runs_(database, options.suppress_below) {}

  void write_all(std::int64_t now_ms) {
    TableStream results(duckdb_, root_, results_table(), parts_of(results_table()));
    auto month = runs_.next_month(INT64_MIN);
    if (!month) write_month(month_at(now_ms), results);  // empty files tell the columns
    while (month) {
      write_month(*month, results);
      month = runs_.next_month(month->end_ms);
    }
    finish_single(results_table(), results, "");
    write_single(prices_table(), "", [&](const auto& write) { write_prices(database_, write); });
    write_single(options_table(), "", [&](const auto& write) { write_options(database_, write); });
    write_single(deletions_table(), "ORDER BY deleted_on, run_key",
                 [&](const auto& write) { write_deletions(database_, surrogates_, write); });
    write_headline(duckdb_, root_, months_);
    for (const auto& [month_name, count] : runs_of_month_)
      rows_[part_file(month_folder(kHeadline, month_name), 0)] = count;
  }

  [[nodiscard]] const std::map<std::string, std::int64_t>& rows() const { return rows_; }

 private:
  static std::string parts_of(const Table& table) { return fmt::format("{}/{}", kScratch, table.name); }

  void write_month(const Month& month, TableStream& results) {
    months_.push_back(month.name);
    std::map<const Table*, TableStream> streams;
    for (const Table* const table : {&runs_table(), &devices_table(), &measurements_table()})
      streams.try_emplace(table, duckdb_, root_, *table, month_folder(table->name, month.name));
    const WriteLine write = [&](const Table& table, std::string_view line) {
      (&table == &results_table() ? results : streams.at(&table)).write(line);
    };
    std::int64_t& count = runs_of_month_[month.name];
    runs_.read(month, [&](const RunStream::Row& row) {
      write_run({row.run, row.machine, month.name, document_of(row.run, row.body), row.is_rare}, surrogates_, write);
      ++count;
    });
    for (auto& [table, stream] : streams) rows_.merge(stream.finish());
  }

  template <class Rows>
  void write_single(const Table& table, std::string_view order, const Rows& write_rows) {
    TableStream stream(duckdb_, root_, table, parts_of(table));
    write_rows([&](std::string_view line) { stream.write(line); });
    finish_single(table, stream, order);
  }

  void finish_single(const Table& table, TableStream& stream, std::string_view order) {
    const std::string name = table.name + ".parquet";
    rows_[name] = 0;
    for (const auto& [file, count] : stream.finish()) rows_[name] += count;
    merge_parts(duckdb_, root_, parts_of(table), name, order);
  }

  Database& database_;
  const Surrogates& surrogates_;
  const DuckDb& duckdb_;
  const std::string root_;
  RunStream runs_;
  std::vector<std::string> months_;
  std::map<std::string, std::int64_t> runs_of_month_, rows_;
};

/// What DuckDB finds in the files must be what was sent.
void require_rows(const DuckDb& duckdb, const std::string& folder,
                  const std::map<std::string, std::int64_t>& expected) {
  const std::string said =
      DuckDbChild(duckdb, folder,
                  "SELECT file_name, num_rows FROM parquet_file_metadata(['*.parquet', '*/*/*.parquet'])")
          .finish();
  std::map<std::string, std::int64_t> found;
  const auto rows = nlohmann::json::parse(said, nullptr, false);
  for (const auto& row : rows.is_array() ? rows : nlohmann::json::array())
    found[row.at("file_name")] = row.at("num_rows").get<std::int64_t>();
  for (const auto& [name, count] : expected)
    if (found[name] != count)
      throw Error(ErrorCode::internal,
                  fmt::format("{} rows of {} were sent and {} written; the former export is untouched, "
                              "please report this",
                              count, name, found[name]));
}

std::int64_t rows_of(const std::map<std::string, std::int64_t>& rows, const std::string& table) {
  std::int64_t sum = 0;
  for (const auto& [file, count] : rows)
    if (file == table + ".parquet" || file.rfind(table + "/", 0) == 0) sum += count;
  return sum;
}

}  // namespace

std::string export_dataset(ConnectionPool& pool, const ExportOptions& options, std::int64_t now_ms) {
  const DuckDb duckdb(options.duckdb);
  ExportFolder folder(options.target);
  const ConnectionPool::Lease lease = pool.take(ConnectionPool::Access::write);
  const Surrogates surrogates(*lease);
  ExportFacts facts{now_ms, duckdb.version(), options.suppress_below, {}};
  {
    const Transaction snapshot(*lease, TransactionKind::snapshot);
    TableExport tables(*lease, surrogates, duckdb, folder.path(), options);
    tables.write_all(now_ms);
    facts.rows = tables.rows();
  }
  require_rows(duckdb, folder.path(), facts.rows);
  std::error_code ignored;
  fs::remove_all(fs::path(folder.path()) / kScratch, ignored);
  write_documents(folder, facts);
  folder.publish();
  std::string said = fmt::format("{}: ", options.target);
  for (const char* const table : {"runs", "devices", "measurements", "prices", "deletions"})
    said +=
        fmt::format("{} {}{}", rows_of(facts.rows, table), table, table == std::string_view("deletions") ? "\n" : ", ");
  return said;
}

}  // namespace gpuassay
