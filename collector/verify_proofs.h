// Does a collector's public log (docs/LOG.md) prove what it says? For anybody, from files that its addresses gave: no
// store, no key of the collector's and no network is needed.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuassay {

struct VerifyProofsOptions {
  std::string checkpoint;                ///< GET /v1/log/checkpoint
  std::string saved;                     ///< the checkpoint of the last time; may not exist yet; empty: none is kept
  std::string consistency;               ///< GET /v1/log/consistency; empty: none
  std::vector<std::string> receipts;     ///< RUN_ID.receipt.json of agents
  std::vector<std::string> inclusions;   ///< GET /v1/log/inclusion, one for each receipt, in the same order
  std::vector<std::string> former_keys;  ///< base64, of the collector before its key was changed
};

struct ProofsReport {
  std::size_t problems = 0;
};

/// Checks the checkpoint's signature, that the saved one is a beginning of it, and that every receipt is in it. `say`
/// receives one line for each of them, good or bad. Without a problem the checkpoint becomes the saved one. Throws
/// Error{unreadable_input} for a file that is missing, Error{usage} for a proof that is not given, Error{not_saved}.
ProofsReport verify_proofs(const VerifyProofsOptions& options, const std::function<void(std::string_view)>& say);

}  // namespace gpuassay
