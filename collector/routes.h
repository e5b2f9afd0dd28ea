// Which URL does what?
#pragma once

#include <functional>
#include <string_view>

#include "collector/floor/attestation_counts.h"
#include "collector/floor/floor_routes.h"
#include "collector/http_message.h"
#include "collector/ingest.h"
#include "collector/key_changes.h"
#include "collector/log.h"
#include "collector/metrics.h"
#include "collector/public_log_routes.h"
#include "collector/rate_limit.h"
#include "collector/read_routes.h"
#include "collector/store.h"

namespace gpuassay {

/// What the routes lead to; all must outlive them.
struct RouteTargets {
  Ingest& ingest;
  KeyChanges& keys;
  RunStore& store;
  const ReadRoutes& read;
  FloorRoutes& floor;
  const PublicLogRoutes& public_log;
  std::function<void()> note_change;                              ///< runs were added or taken back
  RateLimit per_network = {};                                     ///< of uploads, deletions and key changes
  std::function<void(const RequestRecord&)> note_request = {};    ///< every answer, from the thread that gave it
  std::function<std::int64_t()> steady_ms = gpuassay::steady_ms;  ///< for the limit; asked by any thread
  std::function<std::uint64_t()> dropped_log_lines = [] { return std::uint64_t{0}; };
  const AttestationCounts* attestations = nullptr;
};

/// Answers one request; every failure becomes an HTTP status here. Safe to use from any thread.
class Routes {
 public:
  /// `log` receives one line for each failure that the client is not told about, from the thread that asked.
  Routes(RouteTargets targets, std::function<void(std::string_view)> log);

  /// A reply that is yet to be made keeps using this object.
  HttpReply answer(const HttpRequest& request);
  /// Counts what the server answered without asking here.
  void count_refused(int status);

 private:
  void note(const RequestRecord& record);
  HttpReply answer_or_fail(const std::function<HttpReply()>& give_answer);
  HttpReply dispatch(const HttpRequest& request);
  HttpReply delete_result(const HttpRequest& request);
  HttpReply floor(const HttpRequest& request);
  [[nodiscard]] HttpReply metrics() const;
  HttpReply get(const HttpRequest& request) const;
  HttpReply post(const HttpRequest& request);
  std::optional<HttpReply> beyond_share(const HttpRequest& request);
  HttpReply post_result(const HttpRequest& request);
  HttpReply change_key(const HttpRequest& request);
  [[nodiscard]] HttpReply ready() const;

  RouteTargets targets_;
  RateLimiter per_network_;
  Metrics metrics_;
  std::function<void(std::string_view)> log_;
};

}  // namespace gpuassay
