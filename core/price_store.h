// Which prices does this database hold, and what happens when a file is imported again?
#pragma once

#include <cstddef>
#include <vector>

#include "core/database.h"
#include "core/fx_rates.h"
#include "core/price_sources/source.h"
#include "core/prices.h"

namespace gpuassay {

/// What storing a file changed.
struct PriceChanges {
  std::size_t inserted = 0;   ///< new prices
  std::size_t confirmed = 0;  ///< a price in force was seen again at a later date
  std::size_t unchanged = 0;  ///< already stored exactly so
  std::size_t closed = 0;     ///< offers that a complete list no longer has
  std::size_t converted = 0;  ///< stored prices whose dollars newly imported rates have set
};

/// The tables `price` and `fx_rate` of one database and the view `prices` of join.sql. The intervals of one series
/// never overlap.
class PriceStore {
 public:
  /// Makes or updates the tables. `database` must outlive the store.
  explicit PriceStore(Database& database);

  /// Stores all rows or, by throwing, none: Error{unreadable_input} for two amounts of one offer at one instant or for
  /// overlapping stated intervals, Error{database} when writing fails. Storing the same rows again changes nothing, and
  /// the table is the same whatever order imports come in. Offers that a complete list lacks end at its instant.
  /// `rates` that came with them are kept first, in the same transaction.
  PriceChanges store(PriceImport import, const std::vector<FxRate>& rates = {});

  /// Keeps the rates and converts the stored prices that they are the best of. Throws Error{unreadable_input} for a
  /// rate that differs from the stored one of its day.
  PriceChanges store_rates(const std::vector<FxRate>& rates);
  [[nodiscard]] FxTable rates() const;

  [[nodiscard]] std::size_t count() const;
  [[nodiscard]] bool has_source(std::string_view source) const;

 private:
  void keep_rates(const std::vector<FxRate>& rates);
  /// Gives every price in another currency the dollars that the stored rates say.
  std::size_t convert();
  Database& database_;
};

}  // namespace gpuassay
