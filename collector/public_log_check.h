// Is the public log in this store what was signed, and does it have the runs that are stored?
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "core/database.h"
#include "core/signature.h"

namespace gpuassay {

struct LogReport {
  std::size_t leaves = 0, checkpoints = 0;
  std::size_t differing = 0;  ///< what is not as it must be
};

/// Reads the whole tree in one pass: every node follows from its leaves, every leaf is that of the run it was made for,
/// every checkpoint is signed by one of the keys and has the root of its size. `say` receives one line for each
/// difference. In a transaction that sees one instant. Throws Error{database}.
LogReport check_public_log(Database& database, const std::vector<PublicKey>& collector_keys,
                           const std::function<void(std::string_view)>& say);

}  // namespace gpuassay
