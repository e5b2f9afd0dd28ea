// What does another observation mean for the prices that are stored? Keeps the intervals of a series apart, and the
// same whatever order observations arrive in. Private to core/price_store.cpp.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>

#include "core/price_sources/source.h"
#include "core/price_store.h"
#include "core/price_table.h"
#include "core/prices.h"

namespace gpuassay {

/// Writes the rows of one import inside the caller's transaction. A price holds from where it was first seen until
/// another price of its series was seen, a complete list of its source lacked it, or its source said that it ends.
class PriceWriter {
 public:
  /// `list`: the complete list that the rows are, if they are one. Must outlive the writer.
  PriceWriter(Database& database, const std::optional<CompleteList>& list);

  /// Inserts the row, or confirms, cuts, closes or leaves what is stored of its series. Throws
  /// Error{unreadable_input} for a contradiction.
  void write(PriceRow row);
  /// Ends the offers that the list lacks, after all its rows were written.
  void end_missing();

  [[nodiscard]] const PriceChanges& changes() const { return changes_; }

 private:
  /// What a row did, the least first: a line of two observations counts as the greater one.
  enum class Outcome { unchanged, confirmed, inserted };

  Outcome write_undated(const PriceRow& row, const OfferSeries& series);
  Outcome write_stated(PriceRow row, const OfferSeries& series);
  Outcome write_observed(PriceRow row, const OfferSeries& series);
  Outcome observe(PriceRow row, const OfferSeries& series);
  Outcome write_again(const PriceRow& row, const StoredPrice& stored, const OfferSeries& series);
  Outcome confirm(const PriceRow& row, const StoredPrice& stored, const OfferSeries& series);
  Outcome insert(const PriceRow& row, const OfferSeries& series, bool end_is_stated);
  bool was_seen_at(const OfferSeries& series, std::int64_t instant_ms);
  /// Takes what was observed within a stated interval into it, or refuses.
  void absorb_into_stated(PriceRow& row, const OfferSeries& series);
  /// A price that was seen at or after the end that `row` states is, from there on, one of its own. Whether it was.
  bool cut_at_stated_end(const PriceRow& row, const StoredPrice& stored, const OfferSeries& series);
  /// Two lists of one instant, of which one has the offer and one lacks it: it was there.
  void rejoin(const StoredPrice& before, const PriceRow& row, const OfferSeries& series);
  /// Takes the next interval of the series into the row when it touches and has the same price.
  void absorb_next(PriceRow& row, const OfferSeries& series);
  /// The stored price ends before the instant; where it was seen after it, it begins there again: that instant.
  std::optional<std::int64_t> cut(const StoredPrice& stored, const OfferSeries& series, std::int64_t instant_ms);

  PriceTable table_;
  const std::optional<CompleteList>& list_;
  std::unordered_set<std::string> written_;  ///< keys of the series of the list that is being imported
  PriceChanges changes_;
};

/// Throws Error{unreadable_input} when two rows of one series, sorted by start, overlap by their own stated ends.
void require_no_overlap(const std::vector<PriceRow>& rows);

}  // namespace gpuassay
