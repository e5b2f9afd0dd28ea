// How fast does this machine reach a server that the user named? Never one that the user did not name.
#pragma once

#include <memory>

#include "agent/backends/backend.h"
#include "agent/http_client.h"
#include "core/model.h"

namespace gpuassay {

/// A connection opened and closed, or one GET of the target, whose bytes are counted and thrown away: at most
/// `params.bytes` of them, and for 2 s at most; a longer body is cut off. Redirects are not followed. No message has
/// the target's name or address, as results are shared. Throws Error{network}, and Error{unsupported} for connections
/// through a proxy.
std::unique_ptr<Operation> prepare_network(const HttpCall& target, const NetworkParams& params);

}  // namespace gpuassay
