#include "core/price_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "core/error.h"
#include "core/migrations.h"
#include "core/price_checks.h"
#include "core/price_names.h"
#include "core/price_table.h"
#include "core/price_text.h"
#include "core/price_writer.h"
#include "core/timestamp.h"
#include "embedded/PriceMigration0001.h"
#include "embedded/PriceMigration0002.h"

namespace gpuassay {
namespace {

/// What compute_hourly_prices() needs of a stored price; the columns are those of kInOtherCurrencies.
PriceRow row_to_convert(const Statement& query) {
  PriceRow row;
  row.amount = query.optional_text(1);
  row.upfront_amount = query.optional_text(2);
  row.currency = query.text(3);
  row.unit = from_name<PriceUnit>(query.text(4)).value_or(PriceUnit::hour);
  row.hours_per_unit = query.optional_text(5);
  row.commitment_months = query.optional_integer(6);
  row.tax = from_name<TaxTreatment>(query.text(7)).value_or(TaxTreatment::unknown);
  row.tax_rate = query.optional_text(8);
  row.basis = from_name<PriceBasis>(query.text(9)).value_or(PriceBasis::uncertain);
  row.gpu_count = query.integer(10);
  row.valid_from_ms = query.optional_integer(11);
  return row;
}

constexpr std::string_view kInOtherCurrencies =
    "SELECT price_id, amount, upfront_amount, currency, unit, hours_per_unit, commitment_months, tax, tax_rate, "
    "price_basis, gpu_count_micro, valid_from_ms, fx_rate, fx_date, fx_source FROM price "
    "WHERE currency <> 'USD' AND amount IS NOT NULL AND valid_from_ms IS NOT NULL";

using Rate = std::tuple<std::optional<std::string>, std::optional<std::string>, std::optional<std::string>>;

Rate rate_of(const PriceRow& row) { return {row.fx_rate, row.fx_date, row.fx_source}; }

}  // namespace

PriceStore::PriceStore(Database& database) : database_(database) {
  constexpr std::array<std::string_view, 2> kMigrations{embedded::kPriceMigration0001, embedded::kPriceMigration0002};
  migrate(database_, "price", kMigrations);
}

PriceChanges PriceStore::store(PriceImport import, const std::vector<FxRate>& rates) {
  // Oldest first, and equal observations by what they say, so that the order of a file's lines changes nothing.
  std::stable_sort(import.rows.begin(), import.rows.end(), [](const PriceRow& left, const PriceRow& right) {
    return std::tie(left.valid_from_ms, left.vcpus, left.memory_gib, left.local_disk_gb, left.note, left.source_ref) <
           std::tie(right.valid_from_ms, right.vcpus, right.memory_gib, right.local_disk_gb, right.note,
                    right.source_ref);
  });
  require_no_overlap(import.rows);
  // A list without a single price is more likely a failed download than the end of every offer.
  if (import.complete && import.rows.empty())
    throw Error(ErrorCode::unreadable_input, "there is no price in this list; nothing was changed, fetch it again");
  Transaction transaction(database_);
  keep_rates(rates);
  PriceWriter writer(database_, import.complete);
  for (PriceRow& row : import.rows) writer.write(std::move(row));
  if (import.complete) writer.end_missing();
  PriceChanges changes = writer.changes();
  changes.converted = convert();  // what was cut goes on under the rate of another day, too
  transaction.commit();
  return changes;
}

PriceChanges PriceStore::store_rates(const std::vector<FxRate>& rates) {
  Transaction transaction(database_);
  keep_rates(rates);
  PriceChanges changes;
  changes.converted = convert();
  transaction.commit();
  return changes;
}

void PriceStore::keep_rates(const std::vector<FxRate>& rates) {
  Statement find(database_, "SELECT usd_per_unit FROM fx_rate WHERE currency = ? AND day = ?");
  Statement insert(database_, "INSERT INTO fx_rate (currency, day, usd_per_unit, source) VALUES (?, ?, ?, ?)");
  for (const FxRate& rate : rates) {
    find.bind(1, std::string_view(rate.currency)).bind(2, rate.day);
    const bool known = find.step();
    const std::string stored = known ? find.text(0) : std::string();
    find.reset();
    if (!known) {
      insert.bind(1, std::string_view(rate.currency)).bind(2, rate.day);
      insert.bind(3, std::string_view(rate.usd_per_unit)).bind(4, std::string_view(rate.source)).run();
    } else if (stored != rate.usd_per_unit) {
      throw Error(ErrorCode::unreadable_input,
                  fmt::format("the rate of {} on {} is stored as {}, the file says {}; nothing was imported, keep one",
                              rate.currency, day_text(rate.day * kMsPerDay), stored, rate.usd_per_unit));
    }
  }
}

std::size_t PriceStore::convert() {
  const FxTable table = rates();
  Statement query(database_, kInOtherCurrencies);
  std::vector<std::pair<std::string, PriceRow>> converted;
  while (query.step()) {
    PriceRow row = row_to_convert(query);
    const Rate stored{query.optional_text(12), query.optional_text(13), query.optional_text(14)};
    compute_hourly_prices(row, table);
    // Only now can its dollars be looked at; an implausible price waits, which is no price.
    if (!reason_to_quarantine(row).empty()) compute_hourly_prices(row);
    if (rate_of(row) != stored) converted.emplace_back(query.text(0), std::move(row));
  }
  PriceTable prices(database_);
  for (const auto& [id, row] : converted) prices.set_dollars(id, row);
  return converted.size();
}

FxTable PriceStore::rates() const {
  Statement query(database_, "SELECT currency, day, usd_per_unit, source FROM fx_rate");
  std::vector<FxRate> rates;
  while (query.step()) rates.push_back({query.integer(1), query.text(0), query.text(2), query.text(3)});
  return FxTable(rates);
}

std::size_t PriceStore::count() const {
  Statement query(database_, "SELECT COUNT(*) FROM price");
  query.step();
  return static_cast<std::size_t>(query.integer(0));
}

bool PriceStore::has_source(std::string_view source) const {
  Statement query(database_, "SELECT 1 FROM price WHERE source = ? LIMIT 1");
  query.bind(1, source);
  return query.step();
}

}  // namespace gpuassay
