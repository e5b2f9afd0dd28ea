// How does one price get into the table without overlapping its series? Private to core/price_store.cpp.
#pragma once

#include <optional>
#include <string>

#include "core/database.h"
#include "core/price_store.h"
#include "core/prices.h"

namespace gpuassay {

/// Writes the rows of one import inside the caller's transaction, oldest first.
class PriceWriter {
 public:
  explicit PriceWriter(Database& database);

  /// Inserts the row, or confirms, closes or leaves what is stored of its series. Throws Error{unreadable_input} for a
  /// contradiction.
  void write(PriceRow row);
  /// Ends the open prices of `source` that nobody has seen since before `instant_ms`.
  void close_unseen(std::string_view source, std::int64_t instant_ms);

  [[nodiscard]] const PriceChanges& changes() const { return changes_; }

 private:
  /// The part of a stored price that decides what a new observation of its series means.
  struct Stored {
    std::string price_id;
    std::optional<std::string> amount;
    std::optional<std::int64_t> valid_from_ms, valid_to_ms;
    std::int64_t observed_at_ms = 0;
    bool has_usd = false;
    std::optional<Micros> instance_hour;  ///< in the row's currency: unit, tax, upfront and basis are in it
  };

  static std::optional<Stored> first_of(Statement& query, std::string_view key, std::optional<std::int64_t> instant_ms);
  /// Whether both say the same price, however they write it.
  static bool same_price(const PriceRow& row, const Stored& stored);
  void write_again(const PriceRow& row, const Stored& stored);
  void confirm(const PriceRow& row, const Stored& stored);
  void insert(const PriceRow& row, const std::string& key);

  Statement find_before_, find_after_, find_undated_, find_id_, insert_, close_, confirm_, convert_, close_unseen_;
  PriceChanges changes_;
};

/// Throws Error{unreadable_input} when two rows of one series, sorted by start, overlap by their own stated ends.
void require_no_overlap(const std::vector<PriceRow>& rows);

}  // namespace gpuassay
