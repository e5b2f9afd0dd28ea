// How do database, key, ingest, routes and server become one running collector?
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "collector/log.h"
#include "collector/options.h"
#include "collector/server.h"

namespace gpuassay {

/// A collector, ready to run. Owns everything it needs.
class Collector {
 public:
  /// Opens the data directory and binds the address. `now_ms` is the wall clock in milliseconds since 1970.
  /// It and what `log` writes to are called by several threads at a time. Throws Error{network, not_saved, database,
  /// unreadable_input}.
  Collector(const ServeOptions& options, const std::function<std::int64_t()>& now_ms, const Log& log);
  ~Collector();

  /// Server::run(), stop() and handle_signals() do the rest.
  [[nodiscard]] Server& server();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace gpuassay
