#include "core/gradients.h"

#include <algorithm>
#include <utility>

namespace gpuassay {

std::int64_t largest_table(const TracedWorkload& workload) {
  std::int64_t largest = 0;
  for (const MemoryTraffic& traffic : workload.full.traffic) {
    if (traffic.kind != TrafficKind::embedding) continue;
    // The gradient of a table writes all of it and the rows used, which it reads; looking up reads what it writes.
    largest = std::max(largest, traffic.written.fp32 - traffic.read.fp32);
  }
  return largest;
}

GradientBuckets gradient_buckets(const TracedWorkload& workload) {
  constexpr std::int64_t kBytesEach = 4;
  const std::int64_t total_bytes = kBytesEach * workload.shape.at("parameters");
  const std::int64_t table_bytes = std::min(total_bytes, kBytesEach * largest_table(workload));
  std::int64_t before_bytes = total_bytes - table_bytes;
  GradientBuckets buckets;
  buckets.first_bytes = std::min(GradientBuckets::kFirstBytes, before_bytes);
  before_bytes -= buckets.first_bytes;
  buckets.full_count = before_bytes / GradientBuckets::kFullBytes;
  buckets.last_bytes = before_bytes % GradientBuckets::kFullBytes + table_bytes;
  if (buckets.last_bytes > 0) return buckets;
  if (buckets.full_count > 0) {
    --buckets.full_count;
    buckets.last_bytes = GradientBuckets::kFullBytes;
  } else {
    std::swap(buckets.first_bytes, buckets.last_bytes);
  }
  return buckets;
}

GradientExchange exchange_gradients(const GradientBuckets& buckets, const AllReduceTimes& times, double backward_ns) {
  const OperationTime full = times.of(GradientBuckets::kFullBytes);
  const OperationTime first = buckets.first_bytes > 0 ? times.of(buckets.first_bytes) : OperationTime{};
  const OperationTime last = times.of(buckets.last_bytes);
  const auto count = static_cast<double>(buckets.full_count);
  GradientExchange exchange{buckets, first.median_ns + count * full.median_ns, last.median_ns, backward_ns};
  exchange.exposed_ns = std::max(0.0, exchange.before_last_ns - backward_ns) + last.median_ns;
  exchange.low_ns = last.low_ns;
  exchange.high_ns = first.high_ns + count * full.high_ns + last.high_ns;
  return exchange;
}

}  // namespace gpuassay
