// Sends a saved result and keeps what came back beside it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/environment.h"
#include "agent/spool.h"

namespace gpuassay {

/// Signs `body` with the key of the data directory (made on first use) and sends it to `collector_url`. A signed
/// receipt is kept as RUN_ID.receipt.json, a final refusal as RUN_ID.rejected.json. Tells the outcome in `notes`;
/// true only when the receipt is there. Never throws: a result is not lost by failing to send it.
bool send(const std::string& run_id, const std::string& body, const std::string& collector_url,
          const std::optional<Spool>& spool, const Environment& environment, std::vector<std::string>& notes);

}  // namespace gpuassay
