// What was a currency worth in US dollars on a day? From imported rate files, never from the network.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/byte_source.h"

namespace gpuassay {

/// One line of a rate file: `usd_per_unit` dollars for one unit of `currency` on that day.
struct FxRate {
  std::int64_t day = 0;  ///< days since 1970-01-01
  std::string currency;
  std::string usd_per_unit;  ///< decimal text as published
  std::string source;
  bool operator==(const FxRate&) const = default;
};

/// Days that a rate may be older than the price it converts: weekends and holidays, not more.
inline constexpr std::int64_t kMaxFxAgeDays = 7;

/// Reads a whole file with the columns date, currency, usd_per_unit and source. Throws Error{unreadable_input} with
/// line and column for anything else, and for two rates of one currency and day that differ: then nothing of it may be
/// used.
std::vector<FxRate> read_fx_rates(ByteSource& source);

/// Rates by currency and day.
class FxTable {
 public:
  FxTable() = default;
  explicit FxTable(const std::vector<FxRate>& rates) { add(rates); }
  void add(const std::vector<FxRate>& rates);

  /// The rate of `day`, or the last earlier one that is at most kMaxFxAgeDays old; never a later one.
  [[nodiscard]] const FxRate* find(std::string_view currency, std::int64_t day) const;

 private:
  std::map<std::string, std::map<std::int64_t, FxRate>, std::less<>> rates_;
};

}  // namespace gpuassay
