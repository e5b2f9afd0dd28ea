#include "collector/export/store_tables.h"

#include <fmt/format.h>

#include "collector/export/run_tables.h"

namespace gpuassay {
namespace {

using nlohmann::json;

constexpr const char* kText = "VARCHAR";
constexpr const char* kWhole = "BIGINT";

/// A row of a query whose columns are those of the table, in its order.
std::string line_of(const Statement& row, const Table& table) {
  std::string line = "{";
  int at = 0;
  for (const Column& column : table.columns) {
    if (!row.is_null(at))
      append_member(line, column.name, column.type == kWhole ? json(row.integer(at)) : json(row.text(at)));
    ++at;
  }
  return line + "}\n";
}

/// No source's licence is guessed. Free text of its own, so that a reader sees what is known.
constexpr const char* kLicenceUnknown =
    "CASE WHEN license IS NOT NULL THEN NULL "
    "WHEN source_kind = 'document' THEN 'the document that the price was read from states no licence' "
    "WHEN source_kind = 'manual' THEN 'entered by hand without one' "
    "ELSE 'the imported file states no licence; the terms of the source hold' END";

std::string select(const Table& table, std::string_view rest) {
  std::string columns;
  for (const Column& column : table.columns) {
    const bool is_made = column.name == "license_unknown_reason";
    columns += fmt::format("{}{}", columns.empty() ? "" : ", ", is_made ? kLicenceUnknown : column.name);
  }
  return fmt::format("SELECT {} FROM {}", columns, rest);
}

void write_rows(Database& database, const Table& table, std::string_view rest, const WriteTableLine& write) {
  Statement query(database, select(table, rest));
  while (query.step()) write(line_of(query, table));
}

std::vector<Column> price_columns() {
  return {{"price_id", kText, "", "Name of the price; 0-9 and a-z."},
          {"series_identity", kText, "", "What the offer is, through time and across sources."},
          {"provider", kText, "", "Who rents the machine out."},
          {"product_line", kText, "", "Part of the provider's offers, such as secure and community."},
          {"offer_id", kText, "", "The provider's own name of the offer."},
          {"offer_key", kText, "", "The offer_id as results are compared by it."},
          {"instance_type", kText, "", "The provider's name of the machine's type."},
          {"instance_key", kText, "", "The instance type as results are compared by it."},
          {"region", kText, "", "'*' is one price everywhere."},
          {"zone", kText, "", "Zone within the region."},
          {"gpu_model", kText, "", "Model of the GPUs, by the one name of the dataset."},
          {"gpu_variant", kText, "", "SXM2, PCIe and so on."},
          {"gpu_count_micro", kWhole, "", "GPUs, in millionths; fractions are shares of one."},
          {"gpu_memory_mib", kWhole, "", "Memory of one GPU."},
          {"vcpus_milli", kWhole, "", "CPUs, in thousandths."},
          {"memory_mib", kWhole, "", "Memory of the machine."},
          {"pricing_model", kText, "", "on_demand, spot, preemptible, reserved, monthly."},
          {"commitment_months", kWhole, "", "Term, of reserved prices."},
          {"os", kText, "", "Only linux is joined."},
          {"tenancy", kText, "", "Only shared is joined."},
          {"price_basis", kText, "", "instance, per_gpu, vm_only, gpu_addon, storage, uncertain."},
          {"component_missing", kWhole, "", "1: a part of this composed price is not known."},
          {"amount", kText, "", "As published, in `currency` per `unit`."},
          {"upfront_amount", kText, "", "Paid once for the term."},
          {"currency", kText, "", "ISO 4217."},
          {"unit", kText, "", "second, hour, month, year, term."},
          {"tax", kText, "", "excluded, included, unknown."},
          {"tax_rate", kText, "", "0.19 is 19 %."},
          {"fx_rate", kText, "", "Dollars for one unit of the currency."},
          {"fx_date", kText, "", "Day of the rate."},
          {"fx_source", kText, "", "Who published the rate."},
          {"price_instance_hour_micro", kWhole, "", "Of the machine per hour, in millionths of the currency."},
          {"price_instance_hour_usd_micro", kWhole, "", "The same in millionths of a dollar."},
          {"price_gpu_hour_usd_micro", kWhole, "", "Of one GPU per hour, in millionths of a dollar."},
          {"valid_from_ms", kWhole, "", "Begin of the interval, milliseconds since 1970 UTC."},
          {"valid_to_ms", kWhole, "", "End of the interval, open; NULL: none is known."},
          {"observed_at_ms", kWhole, "", "When the price was last seen."},
          {"as_of_precision", kText, "", "How exactly the source tells the time: year, month, day, instant."},
          {"source_kind", kText, "", "api, catalog, document, manual."},
          {"source", kText, "", "Where the price was read."},
          {"source_ref", kText, "", "The place in the source."},
          {"retrieved_at", kText, "", "When the source was fetched."},
          {"license", kText, "", "Licence that the source states for this row; NULL where it states none."},
          {"license_unknown_reason", kText, "", "Why `license` is NULL."},
          {"confidence", kText, "", "How sure the reading is."},
          {"note", kText, "", "What the reader should know of this row."}};
}

}  // namespace

const Table& prices_table() {
  static const Table kTable{"prices", "One row for each published price of an offer during an interval.",
                            price_columns()};
  return kTable;
}

const Table& options_table() {
  static const Table kTable{
      "options",
      "One row: how join.sql asks.",
      {{"pricing_model", kText, "", "Instead of each result's own; NULL: its own."},
       {"commitment_months", kWhole, "", "Instead of each result's own."},
       {"max_age_days", kWhole, "", "Older prices are stale."},
       {"rental_equivalent", kWhole, "", "1: results without a provider get the price of others."},
       {"cost_basis", kText, "", "machine, or gpu_share."},
       {"os", kText, "", "Of the prices that are joined."},
       {"tenancy", kText, "", "Of the prices that are joined."}}};
  return kTable;
}

const Table& deletions_table() {
  static const Table kTable{
      "deletions",
      "One row for each run that its contributor, or the operator for him, took back: delete it from "
      "copies of earlier exports.",
      {{"run_key", kText, "", "Name of the run in the dataset."},
       {"deleted_on", "DATE", "", "Day on which it was taken back, UTC."}}};
  return kTable;
}

void write_prices(Database& database, const WriteTableLine& write) {
  write_rows(database, prices_table(), "price ORDER BY gpu_model, price_id", write);
}

void write_options(Database& database, const WriteTableLine& write) {
  write_rows(database, options_table(), "options", write);
}

void write_deletions(Database& database, const Surrogates& surrogates, const WriteTableLine& write) {
  Statement query(database,
                  "SELECT run_id, retracted_at_ms FROM run WHERE retracted_at_ms IS NOT NULL "
                  "ORDER BY retracted_at_ms, run_id");
  while (query.step()) {
    std::string line = "{";
    append_member(line, "run_key", surrogates.run(query.text(0)));
    append_member(line, "deleted_on", day_of(query.integer(1)));
    write(line + "}\n");
  }
}

}  // namespace gpuassay
