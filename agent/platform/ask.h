// Asks the metadata services of a question, several at once where it is not known whose it is.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "agent/platform/local_platform.h"

namespace gpuassay {

using MetadataClientMaker = std::function<std::unique_ptr<MetadataClient>()>;

/// Of several rules the first in order that proved itself; later ones count only when those before have ended. Never
/// throws for what servers do, and returns at `deadline` whatever threads still wait for, which are left behind: so
/// call it in a process that ends soon.
MetadataFindings ask_services(const MetadataQuestion& question, const MetadataClientMaker& make_client,
                              const std::vector<std::string>& own_addresses,
                              std::chrono::steady_clock::time_point deadline);

/// IPv4 addresses of this machine's interfaces.
std::vector<std::string> own_ipv4_addresses();

}  // namespace gpuassay
