// What does SQL do to the tables of prices? The statements, one function each; core/price_writer.cpp has the rules.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/complete_list.h"
#include "core/database.h"
#include "core/prices.h"

namespace gpuassay {

/// The part of a stored price that decides what another observation of its series means.
struct StoredPrice {
  std::string price_id;
  std::optional<std::string> amount;
  std::optional<std::int64_t> valid_from_ms, valid_to_ms;
  bool end_is_stated = false;  ///< the source said when it ends; nobody has to have seen another price
  std::int64_t observed_at_ms = 0;
  std::optional<Micros> instance_hour;  ///< in the row's currency: unit, tax, upfront and basis are in it
  std::optional<std::int64_t> gpu_memory_mib;
};

/// A series of one source, and the names by which lists may have a line of it.
struct OfferSeries {
  std::string key;  ///< SHA-256 of series_key(row)
  std::string source;
  std::optional<std::string> offer_key, instance_key, region;
};

/// An offer of one source that may have ended.
struct OfferEnd {
  StoredPrice price;
  OfferSeries series;
};

/// The series that a row is of.
OfferSeries series_of(const PriceRow& row);

/// Prepared statements on the tables of prices, sightings and lists of one database. A series key is the SHA-256 of
/// series_key(row). Failures are Error{database}.
class PriceTable {
 public:
  explicit PriceTable(Database& database);

  /// The last price of the series that begins at or before the instant; the first one that begins after it.
  std::optional<StoredPrice> find_before(std::string_view series, std::int64_t instant_ms);
  std::optional<StoredPrice> find_after(std::string_view series, std::int64_t instant_ms);
  std::optional<StoredPrice> find_undated(std::string_view series);
  bool has_id(std::string_view price_id);

  void insert(const PriceRow& row, std::string_view price_id, std::string_view series, bool end_is_stated);
  /// A copy of the price that begins at another instant, observed as late as the first. Its dollars are computed
  /// anew by PriceStore when it is in another currency: the rate is that of another day.
  void insert_resumed(const StoredPrice& price, std::string_view new_id, std::int64_t valid_from_ms);
  void set_end(std::string_view price_id, std::optional<std::int64_t> valid_to_ms, bool is_stated);
  void set_observed(std::string_view price_id, std::int64_t observed_at_ms);
  void set_dollars(std::string_view price_id, const PriceRow& row);
  void remove(std::string_view price_id);

  /// Somebody saw the price of the series at the instant, in the middle of its interval.
  void add_sighting(std::string_view series, std::int64_t instant_ms);
  /// There was a complete list; it says nothing of the offers that are unread in it.
  void add_list(const CompleteList& list);
  bool has_list(std::string_view source, std::int64_t instant_ms);
  /// The first complete list after the instant that says something of the offer.
  std::optional<std::int64_t> first_list_after(const OfferSeries& series, std::int64_t instant_ms);
  /// The last instant in [from, instant) and the first in (instant, until] at which the series was seen, by lists of
  /// its source too.
  std::optional<std::int64_t> last_seen_before(const OfferSeries& series, std::int64_t from_ms,
                                               std::int64_t instant_ms);
  std::optional<std::int64_t> first_seen_after(const OfferSeries& series, std::int64_t instant_ms,
                                               std::int64_t until_ms);

  /// Prices of the source that begin before the instant and hold there, their ends not being stated.
  std::vector<OfferEnd> holding_at(std::string_view source, std::int64_t instant_ms);

 private:
  /// Most sources are no lists: asked once for each.
  bool has_lists(const std::string& source);
  std::optional<StoredPrice> first_of(Statement& query, std::string_view series, std::optional<std::int64_t> instant);

  Statement find_before_, find_after_, find_undated_, find_id_, insert_, insert_resumed_, set_end_, set_observed_,
      set_dollars_, remove_, add_sighting_, add_list_, add_unread_, has_list_, any_list_, list_after_, seen_before_,
      seen_after_, holding_;
  std::map<std::string, bool> has_lists_;
};

}  // namespace gpuassay
