// What do many runs say that one alone cannot? Looks for GPUs that are in two rentals at once, samples that were
// copied, GPUs that have become slower over months, and providers whose machines have changed. A flag is a reason to
// look, never an accusation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collector/connection_pool.h"

namespace gpuassay {

/// "two_rentals", "copied_samples": such runs are no witnesses. "drift", "shift": about what changed; they count.
struct RunFlag {
  std::string code, detail;
};

/// Safe to use from any thread. Failures are Error{database}.
class PoolChecks {
 public:
  /// `pool` must outlive this.
  explicit PoolChecks(ConnectionPool& pool) : pool_(pool) {}

  /// Compares at most `limit` runs that have not been compared yet with all others. How many they were.
  std::size_t check_new(std::size_t limit, std::int64_t now_ms);
  /// Compares GPUs with themselves and providers' offers with what they were; for about once a day.
  void check_changes(std::int64_t now_ms);
  [[nodiscard]] std::vector<RunFlag> flags_of(std::string_view run_id) const;

 private:
  ConnectionPool& pool_;
};

}  // namespace gpuassay
