// What does the command line of gpuassay-collector ask for?
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "collector/log.h"
#include "collector/options_database.h"
#include "collector/options_dataset.h"
#include "collector/rate_limit.h"
#include "collector/retention.h"
#include "collector/server.h"
#include "core/price_import.h"

namespace gpuassay {

struct ServeOptions {
  std::string host;
  std::uint16_t port = 0;  ///< 0 = any free one
  std::string data_dir;
  bool accept_simulated = false;
  RateLimit per_key{60, 60};            ///< one machine makes a run in a minute or two
  RateLimit per_network{3'600, 1'000};  ///< a fleet that starts at once behind one address
  DatabaseChoice database = {};
  ServerLimits limits = {};
  std::optional<TlsFiles> tls = {};
  std::vector<std::string> trusted_proxies = {};  ///< IP addresses
  LogFormat log_format = LogFormat::text;
  bool log_requests = false;
  RetentionPolicy retention = {};
  std::optional<std::string> attestation_root = {};  ///< file with the roots of makers of devices, PEM
};

struct ImportPricesOptions {
  PriceFileOptions file;
  std::string data_dir;
  DatabaseChoice database = {};
};

/// Text to print instead of working: help or version.
struct ShowText {
  std::string text;
};

using CollectorCommand =
    std::variant<ServeOptions, ImportPricesOptions, ExportOptions, DataDictionaryOptions, RetractOptions, VouchOptions,
                 VerifyOptions, VerifyProofsOptions, ReassessOptions, ShowText>;

/// Throws Error{usage} with one line for anything the command line does not know.
CollectorCommand parse_collector_options(int argc, const char* const* argv);

}  // namespace gpuassay
