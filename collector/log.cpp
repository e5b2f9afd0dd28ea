#include "collector/log.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/timestamp.h"

namespace gpuassay {
namespace {

using Json = nlohmann::ordered_json;  // time first, as people read it

double milliseconds(std::chrono::nanoseconds took) {
  constexpr double kUsPerMs = 1000;
  return static_cast<double>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()) / kUsPerMs;
}

/// Messages name files and hosts, which need not be UTF-8.
std::string json_line(const Json& object) { return object.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string problem_text(LogFormat format, std::string_view message, std::int64_t now_ms) {
  constexpr std::size_t kLongest = 2'000;  // a line is to be whole, and not that of a file of paths
  message = message.substr(0, kLongest);
  if (format == LogFormat::text) return fmt::format("gpuassay-collector: {}", message);
  return json_line(
      {{"time", format_rfc3339_ms(now_ms)}, {"level", "warning"}, {"event", "problem"}, {"message", message}});
}

}  // namespace

std::string dropped_lines_text(LogFormat format, std::uint64_t lines, std::int64_t now_ms) {
  return problem_text(format, fmt::format("{} log lines were dropped, as nobody read them", lines), now_ms);
}

Log::Log(LogFormat format, bool with_requests, std::function<void(std::string_view)> write,
         std::function<std::int64_t()> now_ms, std::function<std::uint64_t()> dropped)
    : format_(format),
      with_requests_(with_requests),
      write_(std::move(write)),
      now_ms_(std::move(now_ms)),
      dropped_(std::move(dropped)) {}

void Log::started(std::string_view url) const {
  if (format_ == LogFormat::text) return write_(fmt::format("listening on {}", url));
  write_(json_line({{"time", format_rfc3339_ms(now_ms_())}, {"level", "info"}, {"event", "listening"}, {"url", url}}));
}

void Log::problem(std::string_view message) const { write_(problem_text(format_, message, now_ms_())); }

void Log::request(const RequestRecord& record) const {
  if (!with_requests_) return;
  const double took_ms = milliseconds(record.took);
  if (format_ == LogFormat::text)
    return write_(fmt::format("{} {} {} {:.3f} ms{}{}", record.method, record.route, record.status, took_ms,
                              record.outcome.empty() ? "" : " ", record.outcome));
  Json line{{"time", format_rfc3339_ms(now_ms_())},
            {"level", "info"},
            {"event", "request"},
            {"method", record.method},
            {"route", record.route},
            {"status", record.status},
            {"duration_ms", took_ms}};
  if (!record.outcome.empty()) line["outcome"] = record.outcome;
  write_(json_line(line));
}

void Log::stopped() const {
  if (format_ == LogFormat::text) return;
  write_(json_line({{"time", format_rfc3339_ms(now_ms_())}, {"level", "info"}, {"event", "stopped"}}));
}

}  // namespace gpuassay
