// What does a collector answer to a small request that a person waits for?
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/upload.h"

namespace gpuassay {

/// How a collector is reached, and by which machine.
struct CollectorAccess {
  std::string collector_url;
  KeyPair key;  ///< the one that signed the uploads in question
  std::vector<std::string> ca_bundles;
  std::string user_agent;
  std::optional<Proxy> proxy;
};

/// A call of `path` below the collector's URL with the key's signature of `message`.
HttpCall signed_call(const CollectorAccess& access, const std::string& method, const std::string& path,
                     const std::string& message);

struct ShortAnswer {
  std::optional<HttpAnswer> answer;  ///< the last one
  std::string problem;               ///< without an answer: why, printable ASCII
};

/// Retried like an upload, for kNetworkFailureTime at most. Never throws for what the network does.
ShortAnswer ask_shortly(const HttpCall& call, const UploadWorld& world);

}  // namespace gpuassay
