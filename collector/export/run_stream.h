// Which runs are exported, month by month and sorted, and which of them are of a machine that few others are like?
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "collector/run_record.h"
#include "core/database.h"

namespace gpuassay {

/// A month of the calendar, in UTC.
struct Month {
  std::string name;  ///< "2026-11"
  std::int64_t begin_ms = 0, end_ms = 0;
};

Month month_at(std::int64_t instant_ms);

/// Reads in the snapshot that `database` is in.
class RunStream {
 public:
  /// Offers that fewer than `suppress_below` machines have measured are rare.
  RunStream(Database& database, std::int64_t suppress_below);

  /// The first month at or after `from_ms` that has runs.
  [[nodiscard]] std::optional<Month> next_month(std::int64_t from_ms) const;

  struct Row {
    const RunColumns& run;
    std::string machine;  ///< the first key of the machine that signed it
    std::string body;
    bool is_rare;
  };
  using Take = std::function<void(const Row& row)>;
  /// All runs of the month by GPU model; among those of one model in an order that says nothing of time.
  void read(const Month& month, const Take& take) const;

 private:
  using Offer = std::tuple<std::string, std::string, std::string, std::string, std::int64_t>;
  static Offer offer_of(const RunColumns& run);

  Database& database_;
  bool suppresses_;
  std::set<Offer> common_;
};

}  // namespace gpuassay
