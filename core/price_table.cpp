#include "core/price_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "core/price_names.h"
#include "core/price_text.h"
#include "core/signature.h"

namespace gpuassay {
namespace {

/// Columns of `price` in the order that insert() binds them.
constexpr std::string_view kColumns =
    "price_id, series_key, series_identity, provider, product_line, offer_id, offer_key, instance_type, instance_key, "
    "region, zone, gpu_model, gpu_variant, gpu_count_micro, gpu_memory_gib_total_micro, gpu_memory_mib, vcpus_micro, "
    "vcpus_milli, memory_gib_micro, memory_mib, local_disk_gb_micro, pricing_model, commitment_months, os, tenancy, "
    "price_basis, component_missing, amount, upfront_amount, currency, unit, hours_per_unit, tax, tax_rate, "
    "price_instance_hour_micro, fx_rate, fx_date, fx_source, price_instance_hour_usd_micro, price_gpu_hour_usd_micro, "
    "valid_from_ms, valid_to_ms, valid_to_stated, observed_at_ms, as_of_precision, source_kind, source, source_ref, "
    "retrieved_at, license, confidence, note";

constexpr std::string_view kStored =
    "price_id, amount, valid_from_ms, valid_to_ms, valid_to_stated, observed_at_ms, "
    "price_instance_hour_micro, gpu_memory_mib";

std::string insert_sql() {
  const auto columns = static_cast<std::size_t>(std::count(kColumns.begin(), kColumns.end(), ',')) + 1;
  std::string marks;
  for (std::size_t at = 0; at < columns; ++at) marks += at == 0 ? "?" : ",?";
  return fmt::format("INSERT INTO price ({}) VALUES ({})", kColumns, marks);
}

/// Copies a row, all columns but identity, start and what depends on the day's rate.
std::string insert_resumed_sql() {
  std::string values(kColumns);
  const auto replace = [&](std::string_view column, std::string_view value) {
    values.replace(values.find(column), column.size(), value);
  };
  replace("price_id", "CAST(?1 AS TEXT)");
  replace("valid_from_ms", "CAST(?2 AS BIGINT)");
  for (const std::string_view column :
       {"fx_rate", "fx_date", "fx_source", "price_instance_hour_usd_micro", "price_gpu_hour_usd_micro"})
    replace(column, fmt::format("CASE WHEN currency = 'USD' THEN {} END", column));
  return fmt::format("INSERT INTO price ({}) SELECT {} FROM price WHERE price_id = ?3", kColumns, values);
}

std::string select_stored(std::string_view condition_and_order) {
  return fmt::format("SELECT {} FROM price WHERE series_key = ?1 AND {} LIMIT 1", kStored, condition_and_order);
}

/// Lists of a source (?1) that say something of an offer with the keys ?2 and ?3 in region ?4, empty where unknown.
constexpr std::string_view kListsOfOffer =
    "SELECT instant_ms FROM price_list WHERE source = ?1 AND NOT EXISTS (SELECT 1 FROM price_unread WHERE "
    "price_unread.source = price_list.source AND price_unread.instant_ms = price_list.instant_ms AND "
    "price_unread.name_key IN ('', ?2, ?3) AND (price_unread.region IN ('', ?4) OR ?4 = ''))";

std::string select_list_after() {
  return fmt::format("SELECT MIN(instant_ms) FROM ({}) AS lists WHERE instant_ms > ?5", kListsOfOffer);
}

/// Instants at which its series (?7) was seen in the middle of an interval.
std::string select_seen(std::string_view what, std::string_view range) {
  return fmt::format(
      "SELECT {}(instant_ms) FROM ({} UNION ALL SELECT instant_ms FROM price_seen WHERE series_key = ?7) AS seen "
      "WHERE {}",
      what, kListsOfOffer, range);
}

/// Binds what kListsOfOffer asks; no key and no region are "", which no name has.
void bind_offer(Statement& query, const OfferSeries& series) {
  query.bind(1, std::string_view(series.source)).bind(2, std::string_view(series.offer_key ? *series.offer_key : ""));
  query.bind(3, std::string_view(series.instance_key ? *series.instance_key : ""));
  query.bind(4, std::string_view(series.region ? *series.region : ""));
}

StoredPrice read_stored(const Statement& row) {
  StoredPrice price;
  price.price_id = row.text(0);
  price.amount = row.optional_text(1);
  price.valid_from_ms = row.optional_integer(2);
  price.valid_to_ms = row.optional_integer(3);
  price.end_is_stated = row.integer(4) != 0;
  price.observed_at_ms = row.integer(5);
  price.instance_hour = row.optional_integer(6);
  price.gpu_memory_mib = row.optional_integer(7);
  return price;
}

/// Binds the parameters of one statement from left to right.
class InOrder {
 public:
  explicit InOrder(Statement& statement) : statement_(statement) {}
  template <class T>
  InOrder& operator()(const T& value) {
    statement_.bind(next_++, value);
    return *this;
  }

 private:
  Statement& statement_;
  int next_ = 1;
};

std::optional<std::string> key_of(const std::optional<std::string>& name) {
  return name ? std::optional(instance_key(*name)) : std::nullopt;
}

bool has_row(Statement& query) {
  const bool found = query.step();
  query.reset();
  return found;
}

std::optional<std::int64_t> only_instant(Statement& query) {
  query.step();
  const auto instant = query.optional_integer(0);
  query.reset();
  return instant;
}

}  // namespace

OfferSeries series_of(const PriceRow& row) {
  return {sha256_hex(series_key(row)), row.source, key_of(row.offer_id), key_of(row.instance_type), row.region};
}

PriceTable::PriceTable(Database& database)
    : find_before_(database, select_stored("valid_from_ms <= ?2 ORDER BY valid_from_ms DESC")),
      find_after_(database, select_stored("valid_from_ms > ?2 ORDER BY valid_from_ms")),
      find_undated_(database, select_stored("valid_from_ms IS NULL")),
      find_id_(database, "SELECT 1 FROM price WHERE price_id = ?"),
      insert_(database, insert_sql()),
      insert_resumed_(database, insert_resumed_sql()),
      set_end_(database, "UPDATE price SET valid_to_ms = ?, valid_to_stated = ? WHERE price_id = ?"),
      set_observed_(database, "UPDATE price SET observed_at_ms = ? WHERE price_id = ?"),
      set_dollars_(database,
                   "UPDATE price SET fx_rate = ?, fx_date = ?, fx_source = ?, price_instance_hour_usd_micro = ?, "
                   "price_gpu_hour_usd_micro = ? WHERE price_id = ?"),
      remove_(database, "DELETE FROM price WHERE price_id = ?"),
      add_sighting_(database, "INSERT INTO price_seen (series_key, instant_ms) VALUES (?, ?) ON CONFLICT DO NOTHING"),
      add_list_(database, "INSERT INTO price_list (source, instant_ms) VALUES (?, ?) ON CONFLICT DO NOTHING"),
      add_unread_(database,
                  "INSERT INTO price_unread (source, instant_ms, name_key, region) VALUES (?, ?, ?, ?) "
                  "ON CONFLICT DO NOTHING"),
      has_list_(database, "SELECT 1 FROM price_list WHERE source = ? AND instant_ms = ?"),
      any_list_(database, "SELECT 1 FROM price_list WHERE source = ? LIMIT 1"),
      list_after_(database, select_list_after()),
      seen_before_(database, select_seen("MAX", "instant_ms >= ?5 AND instant_ms < ?6")),
      seen_after_(database, select_seen("MIN", "instant_ms > ?5 AND instant_ms <= ?6")),
      holding_(database,
               fmt::format("SELECT {}, series_key, offer_key, instance_key, region FROM price WHERE source = ?1 AND "
                           "valid_from_ms < ?2 AND (valid_to_ms IS NULL OR valid_to_ms > ?2) AND valid_to_stated = 0 "
                           "AND observed_at_ms <> ?2",
                           kStored)) {}

std::optional<StoredPrice> PriceTable::first_of(Statement& query, std::string_view series,
                                                std::optional<std::int64_t> instant) {
  query.bind(1, series);
  if (instant) query.bind(2, *instant);
  std::optional<StoredPrice> found;
  if (query.step()) found = read_stored(query);
  query.reset();
  return found;
}

std::optional<StoredPrice> PriceTable::find_before(std::string_view series, std::int64_t instant_ms) {
  return first_of(find_before_, series, instant_ms);
}

std::optional<StoredPrice> PriceTable::find_after(std::string_view series, std::int64_t instant_ms) {
  return first_of(find_after_, series, instant_ms);
}

std::optional<StoredPrice> PriceTable::find_undated(std::string_view series) {
  return first_of(find_undated_, series, std::nullopt);
}

bool PriceTable::has_id(std::string_view price_id) {
  find_id_.bind(1, price_id);
  return has_row(find_id_);
}

void PriceTable::insert(const PriceRow& row, std::string_view price_id, std::string_view series, bool end_is_stated) {
  InOrder next{insert_};
  next(price_id)(series)(sha256_hex(series_identity(row)))(row.provider)(row.product_line);
  next(row.offer_id)(key_of(row.offer_id))(row.instance_type)(key_of(row.instance_type))(row.region)(row.zone);
  next(row.gpu_model)(row.gpu_variant)(row.gpu_count)(row.gpu_memory_gib_total)(gpu_memory_mib(row));
  next(row.vcpus)(scaled_quantity(row.vcpus, 1000))(row.memory_gib)(scaled_quantity(row.memory_gib, 1024));
  next(row.local_disk_gb)(row.pricing_model)(row.commitment_months)(row.os)(row.tenancy)(to_name(row.basis));
  next(std::int64_t{row.component_missing})(row.amount)(row.upfront_amount)(row.currency)(to_name(row.unit));
  next(row.hours_per_unit)(to_name(row.tax))(row.tax_rate)(row.price_instance_hour);
  next(row.fx_rate)(row.fx_date)(row.fx_source)(row.price_instance_hour_usd)(row.price_gpu_hour_usd);
  next(row.valid_from_ms)(row.valid_to_ms)(std::int64_t{end_is_stated})(row.observed_at_ms);
  next(to_name(row.as_of_precision))(row.source_kind)(row.source)(row.source_ref)(row.retrieved_at)(row.license);
  next(to_name(row.confidence))(row.note);
  insert_.run();
}

void PriceTable::insert_resumed(const StoredPrice& price, std::string_view new_id, std::int64_t valid_from_ms) {
  insert_resumed_.bind(1, new_id).bind(2, valid_from_ms).bind(3, price.price_id).run();
}

void PriceTable::set_end(std::string_view price_id, std::optional<std::int64_t> valid_to_ms, bool is_stated) {
  set_end_.bind(1, valid_to_ms).bind(2, std::int64_t{is_stated}).bind(3, price_id).run();
}

void PriceTable::set_observed(std::string_view price_id, std::int64_t observed_at_ms) {
  set_observed_.bind(1, observed_at_ms).bind(2, price_id).run();
}

void PriceTable::set_dollars(std::string_view price_id, const PriceRow& row) {
  InOrder next{set_dollars_};
  next(row.fx_rate)(row.fx_date)(row.fx_source)(row.price_instance_hour_usd)(row.price_gpu_hour_usd)(price_id);
  set_dollars_.run();
}

void PriceTable::remove(std::string_view price_id) { remove_.bind(1, price_id).run(); }

void PriceTable::add_sighting(std::string_view series, std::int64_t instant_ms) {
  add_sighting_.bind(1, series).bind(2, instant_ms).run();
}

bool PriceTable::has_lists(const std::string& source) {
  const auto known = has_lists_.find(source);
  if (known != has_lists_.end()) return known->second;
  any_list_.bind(1, std::string_view(source));
  return has_lists_[source] = has_row(any_list_);
}

void PriceTable::add_list(const CompleteList& list) {
  has_lists_[list.source] = true;
  add_list_.bind(1, std::string_view(list.source)).bind(2, list.instant_ms).run();
  for (const auto& [name, regions] : list.unread.regions_of()) {
    for (const std::string& region : regions) {
      add_unread_.bind(1, std::string_view(list.source)).bind(2, list.instant_ms);
      add_unread_.bind(3, std::string_view(name)).bind(4, std::string_view(region)).run();
    }
  }
}

bool PriceTable::has_list(std::string_view source, std::int64_t instant_ms) {
  has_list_.bind(1, source).bind(2, instant_ms);
  return has_row(has_list_);
}

std::optional<std::int64_t> PriceTable::first_list_after(const OfferSeries& series, std::int64_t instant_ms) {
  if (!has_lists(series.source)) return std::nullopt;
  bind_offer(list_after_, series);
  list_after_.bind(5, instant_ms);
  return only_instant(list_after_);
}

std::optional<std::int64_t> PriceTable::last_seen_before(const OfferSeries& series, std::int64_t from_ms,
                                                         std::int64_t instant_ms) {
  bind_offer(seen_before_, series);
  seen_before_.bind(5, from_ms).bind(6, instant_ms).bind(7, std::string_view(series.key));
  return only_instant(seen_before_);
}

std::optional<std::int64_t> PriceTable::first_seen_after(const OfferSeries& series, std::int64_t instant_ms,
                                                         std::int64_t until_ms) {
  bind_offer(seen_after_, series);
  seen_after_.bind(5, instant_ms).bind(6, until_ms).bind(7, std::string_view(series.key));
  return only_instant(seen_after_);
}

std::vector<OfferEnd> PriceTable::holding_at(std::string_view source, std::int64_t instant_ms) {
  holding_.bind(1, source).bind(2, instant_ms);
  std::vector<OfferEnd> offers;
  constexpr int kAfterStored = 8;
  while (holding_.step()) {
    OfferSeries series{holding_.text(kAfterStored), std::string(source), holding_.optional_text(kAfterStored + 1),
                       holding_.optional_text(kAfterStored + 2), holding_.optional_text(kAfterStored + 3)};
    offers.push_back({read_stored(holding_), std::move(series)});
  }
  holding_.reset();
  return offers;
}

}  // namespace gpuassay
