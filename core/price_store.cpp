#include "core/price_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "core/error.h"
#include "core/migrations.h"
#include "core/price_names.h"
#include "core/timestamp.h"
#include "embedded/PriceMigration0001.h"

namespace gpuassay {
namespace {

/// The part of a stored price that decides what a new observation of its series means.
struct StoredPrice {
  std::string price_id;
  std::optional<std::string> amount;
  std::int64_t valid_from_ms = 0;
  std::optional<std::int64_t> valid_to_ms;
  std::int64_t observed_at_ms = 0;
};

constexpr std::string_view kInsert = R"(
INSERT INTO price (price_id, series_key, provider, product_line, offer_id, instance_type, region, zone, gpu_model,
  gpu_variant, gpu_count_micro, gpu_memory_gib_total, vcpus, memory_gib, local_disk_gb, pricing_model,
  commitment_months, os, tenancy, price_basis, amount, currency, unit, price_instance_hour_micro,
  price_instance_hour_usd_micro, price_gpu_hour_usd_micro, valid_from_ms, valid_to_ms, observed_at_ms,
  as_of_precision, source_kind, source, source_ref, confidence, note)
VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?))";

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

/// Writes the rows of one import inside the caller's transaction.
class Importer {
 public:
  explicit Importer(Database& database)
      : find_before_(database, select_neighbour("valid_from_ms <= ?2 ORDER BY valid_from_ms DESC")),
        find_after_(database, select_neighbour("valid_from_ms > ?2 ORDER BY valid_from_ms")),
        insert_(database, kInsert),
        close_(database, "UPDATE price SET valid_to_ms = ? WHERE price_id = ?"),
        confirm_(database, "UPDATE price SET observed_at_ms = ? WHERE price_id = ?") {}

  void store(PriceRow row) {
    const std::string key = series_key(row);
    const auto before = neighbour(find_before_, key, row.valid_from_ms);
    if (before && before->valid_from_ms == row.valid_from_ms) return store_again(row, *before);
    if (before && covers(*before, row.valid_from_ms)) {
      if (before->amount == row.amount) return confirm(row, *before);
      if (before->valid_to_ms) refuse(row, "its interval overlaps one already stored");
      close_.bind(1, row.valid_from_ms).bind(2, std::string_view(before->price_id)).run();
    }
    if (const auto after = neighbour(find_after_, key, row.valid_from_ms)) {
      if (row.valid_to_ms && *row.valid_to_ms > after->valid_from_ms)
        refuse(row, "its interval overlaps one already stored");
      if (!row.valid_to_ms) row.valid_to_ms = after->valid_from_ms;
    }
    insert(row, key);
  }

  [[nodiscard]] const PriceChanges& changes() const { return changes_; }

 private:
  static std::string select_neighbour(std::string_view condition_and_order) {
    return fmt::format(
        "SELECT price_id, amount, valid_from_ms, valid_to_ms, observed_at_ms FROM price "
        "WHERE series_key = ?1 AND {} LIMIT 1",
        condition_and_order);
  }

  static std::optional<StoredPrice> neighbour(Statement& query, std::string_view key, std::int64_t instant_ms) {
    query.bind(1, key).bind(2, instant_ms);
    std::optional<StoredPrice> found;
    if (query.step())
      found = StoredPrice{query.text(0), query.optional_text(1), query.integer(2), query.optional_integer(3),
                          query.integer(4)};
    query.reset();
    return found;
  }

  static bool covers(const StoredPrice& price, std::int64_t instant_ms) {
    return !price.valid_to_ms || instant_ms < *price.valid_to_ms;
  }

  [[noreturn]] static void refuse(const PriceRow& row, std::string_view why) {
    throw Error(ErrorCode::unreadable_input,
                fmt::format("{}: the price of {} {} from {}: {}; nothing was imported, repair the file", row.source_ref,
                            row.provider, row.gpu_model, format_rfc3339_ms(row.valid_from_ms), why));
  }

  void store_again(const PriceRow& row, const StoredPrice& stored) {
    if (stored.amount != row.amount) refuse(row, "another amount is stored for the same offer and instant");
    if (row.observed_at_ms > stored.observed_at_ms) return confirm(row, stored);
    ++changes_.unchanged;
  }

  void confirm(const PriceRow& row, const StoredPrice& stored) {
    if (row.observed_at_ms <= stored.observed_at_ms) {
      ++changes_.unchanged;
      return;
    }
    confirm_.bind(1, row.observed_at_ms).bind(2, std::string_view(stored.price_id)).run();
    ++changes_.confirmed;
  }

  void insert(const PriceRow& row, std::string_view key) {
    InOrder next{insert_};
    next(price_id(row))(key)(row.provider)(row.product_line)(row.offer_id)(row.instance_type)(row.region)(row.zone);
    next(row.gpu_model)(row.gpu_variant)(row.gpu_count)(row.gpu_memory_gib_total)(row.vcpus)(row.memory_gib);
    next(row.local_disk_gb)(row.pricing_model)(row.commitment_months)(row.os)(row.tenancy)(to_name(row.basis));
    next(row.amount)(row.currency)(row.unit)(row.price_instance_hour)(row.price_instance_hour_usd);
    next(row.price_gpu_hour_usd)(row.valid_from_ms)(row.valid_to_ms)(row.observed_at_ms)(to_name(row.as_of_precision));
    next(row.source_kind)(row.source)(row.source_ref)(to_name(row.confidence))(row.note);
    insert_.run();
    ++changes_.inserted;
  }

  Statement find_before_, find_after_, insert_, close_, confirm_;
  PriceChanges changes_;
};

}  // namespace

PriceStore::PriceStore(Database& database) : database_(database) {
  constexpr std::array<std::string_view, 1> kMigrations{embedded::kPriceMigration0001};
  migrate(database_, "price", kMigrations);
}

PriceChanges PriceStore::store(std::vector<PriceRow> rows) {
  // Oldest first, so that one file gives the same intervals whatever the order of its lines.
  std::sort(rows.begin(), rows.end(), [](const PriceRow& left, const PriceRow& right) {
    return std::tie(left.valid_from_ms, left.source_ref) < std::tie(right.valid_from_ms, right.source_ref);
  });
  Transaction transaction(database_);
  Importer importer(database_);
  for (PriceRow& row : rows) importer.store(std::move(row));
  transaction.commit();
  return importer.changes();
}

std::size_t PriceStore::count() const {
  Statement query(database_, "SELECT COUNT(*) FROM price");
  query.step();
  return static_cast<std::size_t>(query.integer(0));
}

}  // namespace gpuassay
