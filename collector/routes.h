// Which URL does what?
#pragma once

#include <functional>
#include <string_view>

#include "collector/http_message.h"
#include "collector/ingest.h"
#include "collector/metrics.h"
#include "collector/rate_limit.h"
#include "collector/read_routes.h"
#include "collector/store.h"

namespace gpuassay {

/// What the routes lead to; all must outlive them.
struct RouteTargets {
  Ingest& ingest;
  RunStore& store;
  const ReadRoutes& read;
  std::function<void()> note_change;  ///< runs were added or taken back
  RateLimit per_network = {};         ///< of uploads
};

/// Answers one request; every failure becomes an HTTP status here. For one thread at a time.
class Routes {
 public:
  /// `log` receives one line for each failure that the client is not told about.
  Routes(RouteTargets targets, std::function<std::int64_t()> now_ms, std::function<void(std::string_view)> log);

  HttpReply answer(const HttpRequest& request);

 private:
  HttpReply answer_or_fail(const HttpRequest& request);
  HttpReply dispatch(const HttpRequest& request);
  HttpReply delete_result(const HttpRequest& request);
  [[nodiscard]] HttpReply metrics() const;
  HttpReply get(const HttpRequest& request) const;
  HttpReply post_result(const HttpRequest& request);
  [[nodiscard]] HttpReply ready() const;

  RouteTargets targets_;
  RateLimiter per_network_;
  Metrics metrics_;
  std::function<std::int64_t()> now_ms_;
  std::function<void(std::string_view)> log_;
};

}  // namespace gpuassay
