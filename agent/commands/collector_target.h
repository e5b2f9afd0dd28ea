// Which collector does the command talk to, and how is it reached?
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/environment.h"
#include "agent/http_client.h"
#include "agent/options.h"

namespace gpuassay {

struct CollectorTarget {
  std::string url;
  std::optional<Proxy> proxy;
  std::vector<std::string> ca_bundles;
  std::string user_agent;
  /// " --collector URL ...": what makes a later `gpuassay upload` reach it the same way; never a password.
  std::string flags;
};

/// Checks the address, the proxy's and that --ca can be read: Error{usage} for a typing error, before anything is sent
/// or measured.
CollectorTarget collector_target(const std::string& url, const NetworkOptions& network);

/// "gpuassay upload --collector URL", to be typed next.
std::string upload_command(const CollectorTarget& target, const Environment& environment);
/// "gpuassay upload --delete RUN_ID --collector URL".
std::string delete_command(const std::string& run_id, const CollectorTarget& target, const Environment& environment);

}  // namespace gpuassay
