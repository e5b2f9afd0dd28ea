// When a list claims to hold every offer of its source, which offers may be hidden behind lines that could not be read?
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "core/prices.h"

namespace gpuassay {

/// Offers of which a list has a line that cannot be used: they are neither seen nor gone.
class UnreadOffers {
 public:
  /// What was read of the line before it turned out to be unusable; without any name it may be every offer.
  void add(const PriceRow& row);
  /// Whether such a line may be the one of this offer. Keys as in the price table; unknown regions fit all.
  [[nodiscard]] bool may_hold(const std::optional<std::string>& offer_key,
                              const std::optional<std::string>& instance_key,
                              const std::optional<std::string>& region) const;
  /// Regions by name key; "" is any.
  [[nodiscard]] const std::map<std::string, std::set<std::string>>& regions_of() const { return regions_of_; }

 private:
  [[nodiscard]] bool holds(const std::string& key, const std::optional<std::string>& region) const;

  std::map<std::string, std::set<std::string>> regions_of_;
};

/// A file that lists every offer of `source` at one instant: what it lacks has disappeared.
struct CompleteList {
  std::string source;
  std::int64_t instant_ms = 0;
  UnreadOffers unread;
};

}  // namespace gpuassay
