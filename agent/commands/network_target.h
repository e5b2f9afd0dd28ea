// Which request measures the network? One to the target that the user named.
#pragma once

#include <optional>

#include "agent/http_client.h"
#include "agent/options.h"

namespace gpuassay {

/// Empty when no target was named. Checks the address, the proxy's and that --ca can be read: Error{usage} for a typing
/// error, before anything is measured. Contacts nothing.
std::optional<HttpCall> network_call(const RunOptions& options);

}  // namespace gpuassay
