#include "collector/metrics.h"

#include <fmt/format.h>

#include <algorithm>

namespace gpuassay {

void Metrics::count_request(std::string_view route, int status, std::chrono::nanoseconds took) {
  const double seconds = std::chrono::duration<double>(took).count();
  const std::lock_guard lock(mutex_);
  ++requests_[{std::string(route), status}];
  Durations& durations = durations_[std::string(route)];
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  ++durations.counts.at(static_cast<std::size_t>(bound - kBounds.begin()));
  durations.sum_s += seconds;
}

void Metrics::count_upload(std::string_view outcome) {
  const std::lock_guard lock(mutex_);
  ++uploads_[std::string(outcome)];
}

void Metrics::count_quarantined() {
  const std::lock_guard lock(mutex_);
  ++quarantined_;
}

std::string Metrics::text(const Gauges& gauges) const {
  const std::lock_guard lock(mutex_);
  std::string text =
      "# HELP gpuassay_http_requests_total Requests by route and status.\n# TYPE gpuassay_http_requests_total "
      "counter\n";
  for (const auto& [key, count] : requests_)
    text +=
        fmt::format("gpuassay_http_requests_total{{route=\"{}\",status=\"{}\"}} {}\n", key.first, key.second, count);
  text +=
      "# HELP gpuassay_http_request_seconds Time from the whole request to its answer.\n"
      "# TYPE gpuassay_http_request_seconds histogram\n";
  for (const auto& [route, durations] : durations_) {
    std::uint64_t so_far = 0;
    for (std::size_t at = 0; at < durations.counts.size(); ++at) {
      so_far += durations.counts.at(at);
      const std::string bound = at < kBounds.size() ? fmt::format("{}", kBounds.at(at)) : "+Inf";
      text += fmt::format("gpuassay_http_request_seconds_bucket{{route=\"{}\",le=\"{}\"}} {}\n", route, bound, so_far);
    }
    text += fmt::format("gpuassay_http_request_seconds_sum{{route=\"{}\"}} {}\n", route, durations.sum_s);
    text += fmt::format("gpuassay_http_request_seconds_count{{route=\"{}\"}} {}\n", route, so_far);
  }
  text += "# HELP gpuassay_uploads_total Uploads by what became of them.\n# TYPE gpuassay_uploads_total counter\n";
  for (const auto& [outcome, count] : uploads_)
    text += fmt::format("gpuassay_uploads_total{{outcome=\"{}\"}} {}\n", outcome, count);
  text += fmt::format(
      "# HELP gpuassay_quarantined_total Accepted runs that count in no aggregate.\n"
      "# TYPE gpuassay_quarantined_total counter\ngpuassay_quarantined_total {}\n",
      quarantined_);
  text += fmt::format(
      "# HELP gpuassay_log_lines_dropped_total Lines of the log that nobody read in time.\n"
      "# TYPE gpuassay_log_lines_dropped_total counter\ngpuassay_log_lines_dropped_total {}\n",
      gauges.dropped_log_lines);
  text += fmt::format(
      "# HELP gpuassay_attestations_total Reports of devices about themselves, by what they showed.\n"
      "# TYPE gpuassay_attestations_total counter\ngpuassay_attestations_total{{outcome=\"verified\"}} {}\n"
      "gpuassay_attestations_total{{outcome=\"refused\"}} {}\n",
      gauges.verified_attestations, gauges.refused_attestations);
  if (gauges.aggregates_age_s)
    text += fmt::format(
        "# HELP gpuassay_aggregates_age_seconds Since the aggregates were made.\n"
        "# TYPE gpuassay_aggregates_age_seconds gauge\ngpuassay_aggregates_age_seconds {}\n",
        std::max(0.0, *gauges.aggregates_age_s));
  return text;
}

}  // namespace gpuassay
