// Has the collector taken this result? The only yes is a receipt for this very body whose signature verifies.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/http_client.h"
#include "core/signature.h"

namespace gpuassay {

/// One stored result to send.
struct UploadRequest {
  std::string collector_url;
  std::string run_id;
  std::string body;  ///< the exact bytes of the run's file
  KeyPair key;       ///< this machine's
  /// When set, only receipts of this collector count.
  std::optional<PublicKey> collector_key;
  std::vector<std::string> ca_bundles;  ///< see ca_bundle_places()
  std::string user_agent;
  std::optional<Proxy> proxy;
  /// No attempt begins later than this after the first; one attempt takes at most HttpLimits::total_time.
  std::chrono::milliseconds budget{60'000};
};

enum class UploadStatus {
  accepted,  ///< the receipt is genuine: done for ever
  rejected,  ///< the server will never take this body: keep it with the reason, do not retry
  deferred,  ///< not now: keep it and try again some day
};

struct UploadOutcome {
  UploadStatus status = UploadStatus::deferred;
  std::string receipt;             ///< accepted: the receipt's exact bytes
  std::string quarantine;          ///< accepted: why it counts in no aggregate, if so; one line, printable ASCII
  std::string reason;              ///< rejected, deferred: one line, printable ASCII
  std::optional<int> http_status;  ///< of the last answer
  int attempts = 0;
};

/// The world as upload_result() sees it, so that tests can give another one.
struct UploadWorld {
  std::function<HttpAnswer(const HttpCall&)> exchange = http_exchange;
  std::function<std::chrono::milliseconds()> now;        ///< monotonic
  std::function<void(std::chrono::milliseconds)> sleep;  ///< may return early when interrupted
  std::function<double()> random;                        ///< uniform in [0, 1)
};

/// Steady clock, real sleeping, seeded random numbers.
UploadWorld real_upload_world();

/// Sends the body until it is accepted, refused or the budget is spent. Network failures and 500 are retried during the
/// first 10 s, answers 408, 429 and other 5xx during the whole budget, with full jitter and not sooner than Retry-After
/// asks (5 min at most); every other 4xx is final. Never throws for what the network does; Error{usage} for a bad
/// collector_url.
UploadOutcome upload_result(const UploadRequest& request, const UploadWorld& world);

/// After this outcome, is it worth sending another run to the same collector now? Not without a network, not when it is
/// busy, not when it is no collector; but a server that fails on one body may take the next one.
bool next_may_succeed(const UploadOutcome& outcome);

/// Where people can look at an uploaded run.
std::string run_link(const std::string& collector_url, const std::string& run_id);

}  // namespace gpuassay
