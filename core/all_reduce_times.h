// How long does an all-reduce of so many bytes take among the GPUs of the instance? As it was measured, or between what
// was. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "core/device_times.h"
#include "core/model.h"

namespace gpuassay {

/// Of the all-reduces among exactly `ranks` GPUs that are ok. Calls back to back count, and below the smallest of those
/// messages the latency of single calls (plain ones, as DDP queues them; in graphs where there are no others). Between
/// two sizes the time lies on a straight line, as overhead + bytes / bandwidth does; a smaller message takes as long as
/// the smallest, a larger one has the bandwidth of the largest.
class AllReduceTimes {
 public:
  AllReduceTimes(std::int64_t ranks, const std::vector<Measurement>& measurements);

  /// Two sizes at least, and one of them back to back; without, of() must not be asked.
  [[nodiscard]] bool known() const { return has_bandwidth_ && points_.size() > 1; }
  [[nodiscard]] OperationTime of(std::int64_t message_bytes) const;

 private:
  struct Point {
    double message_bytes = 0;
    OperationTime time;
  };
  std::vector<Point> points_;  ///< ascending
  bool has_bandwidth_ = false;
};

}  // namespace gpuassay
