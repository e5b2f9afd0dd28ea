// Which prices does this database hold, and what happens when a file is imported again?
#pragma once

#include <cstddef>
#include <vector>

#include "core/prices.h"
#include "core/sqlite.h"

namespace gpuassay {

/// What storing a file changed.
struct PriceChanges {
  std::size_t inserted = 0;   ///< new prices
  std::size_t confirmed = 0;  ///< a price in force was seen again at a later date
  std::size_t unchanged = 0;  ///< already stored exactly so
};

/// The table `price` of one database. The intervals of one series never overlap.
class PriceStore {
 public:
  /// Makes or updates the table. `database` must outlive the store.
  explicit PriceStore(Database& database);

  /// Stores all rows or, by throwing, none: Error{unreadable_input} for two amounts of one offer at one instant or
  /// for overlapping intervals, Error{database} when writing fails. Storing the same rows again changes nothing.
  PriceChanges store(std::vector<PriceRow> rows);

  [[nodiscard]] std::size_t count() const;

 private:
  Database& database_;
};

}  // namespace gpuassay
