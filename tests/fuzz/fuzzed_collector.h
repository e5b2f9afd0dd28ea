// What does a collector without network, disk and clock answer, and is every answer one that the documentation allows?
// An answer that it does not allow ends the program, which is what a fuzzer looks for.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "collector/http_message.h"
#include "collector/ingest.h"
#include "collector/read_routes.h"
#include "collector/routes.h"
#include "tests/support/floor_parts.h"

namespace gpuassay::fuzz {

/// Says what is wrong and ends the program.
[[noreturn]] void found(std::string_view what);

/// A collector on a database in memory. Everything is the product's own but sockets, clock and log: what would be
/// logged as a failure of the collector is a finding.
class FuzzedCollector {
 public:
  FuzzedCollector();
  ~FuzzedCollector();

  /// The bytes of one request as they come from a connection. Uploads and deletions without a signature get a good one,
  /// so that what lies behind the signature is reached; others keep theirs.
  void answer_bytes(std::string_view bytes);
  /// A GET request for "PATH?QUERY".
  void get(std::string_view target);
  /// Stores some runs for get() to find.
  void fill();

 private:
  HttpReply answer(const HttpRequest& request);
  HttpReply answer_signed(HttpRequest request);
  void check_stored(const HttpRequest& upload, const HttpReply& first);
  void forget_runs();

  std::unique_ptr<ConnectionPool> pool_;
  RunStore store_;
  KeyPair agent_, collector_;
  Ingest ingest_;
  KeyChanges keys_;
  std::shared_ptr<const Aggregates> aggregates_;
  ExportSpace space_;
  Surrogates names_;
  ReadRoutes read_;
  test::FloorParts floor_;
  PublicLog public_log_;
  PublicLogRoutes log_routes_;
  Routes routes_;
};

}  // namespace gpuassay::fuzz
