// What is answered to those who check the public log (docs/LOG.md)? No HTTP library in here.
#pragma once

#include "collector/http_message.h"
#include "collector/public_log.h"
#include "collector/store.h"

namespace gpuassay {

/// The GET requests below /v1/log. Safe to use from any thread. Throws Error{usage} for a parameter that is wrong,
/// Error{database}.
class PublicLogRoutes {
 public:
  /// Both must outlive this.
  PublicLogRoutes(PublicLog& public_log, const RunStore& store) : log_(public_log), store_(store) {}

  /// /v1/log/checkpoint: the newest; /v1/log/checkpoints: all, by pages.
  [[nodiscard]] HttpReply checkpoint(const HttpRequest& request) const;
  [[nodiscard]] HttpReply checkpoints(const HttpRequest& request) const;
  /// /v1/log/inclusion, /v1/log/consistency: proofs for trees of any size up to now.
  [[nodiscard]] HttpReply inclusion(const HttpRequest& request) const;
  [[nodiscard]] HttpReply consistency(const HttpRequest& request) const;
  /// /v1/log/leaves: the hashes that the tree is made of.
  [[nodiscard]] HttpReply leaves(const HttpRequest& request) const;

 private:
  [[nodiscard]] HttpReply no_leaf(const std::string& run_id, const std::optional<LogEntry>& entry) const;

  PublicLog& log_;
  const RunStore& store_;
};

}  // namespace gpuassay
