// Is everything that the store holds what was signed, what was acknowledged, and what follows from it?
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/connection_pool.h"
#include "collector/options_database.h"
#include "collector/public_log_check.h"
#include "core/signature.h"

namespace gpuassay {

struct VerifyOptions {
  std::string data_dir;
  DatabaseChoice database = {};
  std::vector<std::string> former_keys;  ///< base64, of receipts before the collector's key was changed
};

struct VerifyReport {
  std::size_t runs = 0, retracted = 0;
  std::size_t differing = 0;  ///< runs of which something is not as it must be
  /// Their score is of another version than this program's, as after an upgrade: score and quarantine cannot be
  /// checked.
  std::size_t of_another_version = 0;
  std::size_t without_signature = 0;  ///< taken in before signatures were kept: nothing to check
  std::size_t without_leaf = 0;       ///< not in the public log yet: `serve` puts them there
  LogReport log;                      ///< its differences count in `differing` too
};

/// Reads every run of one instant and compares: body and hash, signature of the agent, receipt of the collector,
/// columns with what the body gives now (collector/assessment.h), its leaf of the public log with its receipt, and that
/// nothing is left of retracted runs; then the log as a whole. `say` receives one line for each difference.
/// `collector_keys` are those whose receipts count. Changes nothing. Throws Error{database}.
VerifyReport verify_store(ConnectionPool& pool, const std::vector<PublicKey>& collector_keys,
                          const std::function<void(std::string_view)>& say);

/// The report as one line.
std::string describe(const VerifyReport& report);

/// The collector's key of the data directory and the former ones. Throws Error{usage} for a text that is no key, and
/// Error{unreadable_input} when the data directory has none.
std::vector<PublicKey> receipt_keys(const VerifyOptions& options);

}  // namespace gpuassay
