#include "core/price_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "core/error.h"
#include "core/price_names.h"
#include "core/price_text.h"
#include "core/signature.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

constexpr std::string_view kColumns =
    "price_id, series_key, series_identity, provider, product_line, offer_id, offer_key, instance_type, instance_key, "
    "region, zone, gpu_model, gpu_variant, gpu_count_micro, gpu_memory_gib_total_micro, gpu_memory_mib, vcpus_micro, "
    "vcpus_milli, memory_gib_micro, memory_mib, local_disk_gb_micro, pricing_model, commitment_months, os, tenancy, "
    "price_basis, component_missing, amount, upfront_amount, currency, unit, hours_per_unit, tax, tax_rate, "
    "price_instance_hour_micro, fx_rate, fx_date, fx_source, price_instance_hour_usd_micro, price_gpu_hour_usd_micro, "
    "valid_from_ms, valid_to_ms, observed_at_ms, as_of_precision, source_kind, source, source_ref, retrieved_at, "
    "license, "
    "confidence, note";

std::string insert_sql() {
  const auto columns = static_cast<std::size_t>(std::count(kColumns.begin(), kColumns.end(), ',')) + 1;
  std::string marks;
  for (std::size_t at = 0; at < columns; ++at) marks += at == 0 ? "?" : ",?";
  return fmt::format("INSERT INTO price ({}) VALUES ({})", kColumns, marks);
}

std::string select_neighbour(std::string_view condition_and_order) {
  return fmt::format(
      "SELECT price_id, amount, valid_from_ms, valid_to_ms, observed_at_ms, price_instance_hour_usd_micro IS NOT NULL, "
      "price_instance_hour_micro FROM price WHERE series_key = ?1 AND {} LIMIT 1",
      condition_and_order);
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

std::string start_text(const PriceRow& row) {
  return row.valid_from_ms ? format_rfc3339_ms(*row.valid_from_ms) : "an unknown date";
}

[[noreturn]] void refuse(const PriceRow& row, std::string_view why) {
  throw Error(ErrorCode::unreadable_input,
              fmt::format("{}: the price of {} {} from {}: {}; nothing was imported, repair the file", row.source_ref,
                          row.provider, row.gpu_model, start_text(row), why));
}

constexpr std::string_view kOutOfOrder =
    "a different price of the same offer that was seen later is stored; import observations oldest first, into a new "
    "data directory where need be";
constexpr std::string_view kOverlap = "its interval overlaps another one of the same offer";

}  // namespace

PriceWriter::PriceWriter(Database& database)
    : find_before_(database, select_neighbour("valid_from_ms <= ?2 ORDER BY valid_from_ms DESC")),
      find_after_(database, select_neighbour("valid_from_ms > ?2 ORDER BY valid_from_ms")),
      find_undated_(database, select_neighbour("valid_from_ms IS NULL AND CAST(?2 AS BIGINT) IS NULL")),
      find_id_(database, "SELECT 1 FROM price WHERE price_id = ?"),
      insert_(database, insert_sql()),
      close_(database, "UPDATE price SET valid_to_ms = ? WHERE price_id = ?"),
      confirm_(database, "UPDATE price SET observed_at_ms = ? WHERE price_id = ?"),
      convert_(database,
               "UPDATE price SET fx_rate = ?, fx_date = ?, fx_source = ?, price_instance_hour_usd_micro = ?, "
               "price_gpu_hour_usd_micro = ? WHERE price_id = ?"),
      close_unseen_(
          database,
          "UPDATE price SET valid_to_ms = ?1 WHERE source = ?2 AND valid_to_ms IS NULL AND observed_at_ms < ?1 "
          "AND valid_from_ms < ?1") {}

std::optional<PriceWriter::Stored> PriceWriter::first_of(Statement& query, std::string_view key,
                                                         std::optional<std::int64_t> instant_ms) {
  query.bind(1, key).bind(2, instant_ms);
  std::optional<Stored> found;
  if (query.step())
    found = Stored{query.text(0),    query.optional_text(1), query.optional_integer(2), query.optional_integer(3),
                   query.integer(4), query.integer(5) != 0,  query.optional_integer(6)};
  query.reset();
  return found;
}

void PriceWriter::write(PriceRow row) {
  const std::string key = sha256_hex(series_key(row));
  if (!row.valid_from_ms) {
    if (const auto known = first_of(find_undated_, key, std::nullopt)) return write_again(row, *known);
    return insert(row, key);
  }
  const auto before = first_of(find_before_, key, row.valid_from_ms);
  if (before && before->valid_from_ms == row.valid_from_ms) return write_again(row, *before);
  if (before && (!before->valid_to_ms || *row.valid_from_ms < *before->valid_to_ms)) {
    if (row.valid_to_ms) refuse(row, kOverlap);
    if (same_price(row, *before)) return confirm(row, *before);
    if (before->valid_to_ms) refuse(row, kOverlap);
    // Closing it here would forget that it was seen again after this row.
    if (before->observed_at_ms > *row.valid_from_ms) refuse(row, kOutOfOrder);
    close_.bind(1, row.valid_from_ms).bind(2, std::string_view(before->price_id)).run();
  }
  if (const auto after = first_of(find_after_, key, row.valid_from_ms)) {
    if (row.valid_to_ms && *row.valid_to_ms > *after->valid_from_ms) refuse(row, kOverlap);
    if (!row.valid_to_ms) row.valid_to_ms = after->valid_from_ms;
  }
  insert(row, key);
}

bool PriceWriter::same_price(const PriceRow& row, const Stored& stored) {
  if (!row.amount || !stored.amount) return row.amount == stored.amount;
  return row.price_instance_hour == stored.instance_hour;
}

void PriceWriter::write_again(const PriceRow& row, const Stored& stored) {
  if (!same_price(row, stored)) refuse(row, "another amount is stored for the same offer and instant");
  if (row.valid_to_ms && !stored.valid_to_ms) {
    close_.bind(1, row.valid_to_ms).bind(2, std::string_view(stored.price_id)).run();
  }
  if (!stored.has_usd && row.price_instance_hour_usd) {
    InOrder next{convert_};
    next(row.fx_rate)(row.fx_date)(row.fx_source)(row.price_instance_hour_usd)(row.price_gpu_hour_usd);
    next(std::string_view(stored.price_id));
    convert_.run();
    ++changes_.converted;
    return;
  }
  confirm(row, stored);
}

void PriceWriter::confirm(const PriceRow& row, const Stored& stored) {
  if (row.observed_at_ms <= stored.observed_at_ms) {
    ++changes_.unchanged;
    return;
  }
  confirm_.bind(1, row.observed_at_ms).bind(2, std::string_view(stored.price_id)).run();
  ++changes_.confirmed;
}

void PriceWriter::insert(const PriceRow& row, const std::string& key) {
  const std::string id = price_id(row);
  if (row.given_id) {
    find_id_.bind(1, std::string_view(id));
    const bool taken = find_id_.step();
    find_id_.reset();
    if (taken) refuse(row, fmt::format("its price_id {} is that of another price", id));
  }
  InOrder next{insert_};
  next(id)(key)(sha256_hex(series_identity(row)))(row.provider)(row.product_line);
  next(row.offer_id)(key_of(row.offer_id))(row.instance_type)(key_of(row.instance_type))(row.region)(row.zone);
  next(row.gpu_model)(row.gpu_variant)(row.gpu_count)(row.gpu_memory_gib_total)(gpu_memory_mib(row));
  next(row.vcpus)(scaled_quantity(row.vcpus, 1000))(row.memory_gib)(scaled_quantity(row.memory_gib, 1024));
  next(row.local_disk_gb)(row.pricing_model)(row.commitment_months)(row.os)(row.tenancy)(to_name(row.basis));
  next(std::int64_t{row.component_missing})(row.amount)(row.upfront_amount)(row.currency)(to_name(row.unit));
  next(row.hours_per_unit)(to_name(row.tax))(row.tax_rate)(row.price_instance_hour);
  next(row.fx_rate)(row.fx_date)(row.fx_source)(row.price_instance_hour_usd)(row.price_gpu_hour_usd);
  next(row.valid_from_ms)(row.valid_to_ms)(row.observed_at_ms)(to_name(row.as_of_precision));
  next(row.source_kind)(row.source)(row.source_ref)(row.retrieved_at)(row.license);
  next(to_name(row.confidence))(row.note);
  insert_.run();
  ++changes_.inserted;
}

void PriceWriter::close_unseen(std::string_view source, std::int64_t instant_ms) {
  close_unseen_.bind(1, instant_ms).bind(2, source).run();
}

void require_no_overlap(const std::vector<PriceRow>& rows) {
  std::unordered_map<std::string, std::int64_t> stated_end_of;
  for (const PriceRow& row : rows) {
    if (!row.valid_from_ms) continue;
    const std::string key = series_key(row);
    const auto known = stated_end_of.find(key);
    if (known != stated_end_of.end() && *row.valid_from_ms < known->second) refuse(row, kOverlap);
    if (row.valid_to_ms) stated_end_of[key] = *row.valid_to_ms;
  }
}

}  // namespace gpuassay
