#include "collector/serve.h"

#include <chrono>
#include <filesystem>

#include "collector/aggregate_keeper.h"
#include "collector/collector_database.h"
#include "collector/floor/challenges.h"
#include "collector/floor/floor_routes.h"
#include "collector/floor/proof.h"
#include "collector/ingest.h"
#include "collector/key_changes.h"
#include "collector/pool/pool_checks.h"
#include "collector/pool/pool_keeper.h"
#include "collector/public_log.h"
#include "collector/public_log_keeper.h"
#include "collector/public_log_routes.h"
#include "collector/rate_limit.h"
#include "collector/repeated_problems.h"
#include "collector/retention.h"
#include "collector/routes.h"
#include "collector/store.h"
#include "core/key_file.h"

namespace gpuassay {
namespace {

std::int64_t steady_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

/// Declared in the order in which each part needs those before it.
struct Collector::Parts {
  Parts(const ServeOptions& options, const std::function<std::int64_t()>& now_ms, const Log& log_to)
      : log(log_to),
        problems([this](std::string_view message) { log.problem(message); }, steady_ms),
        database(open_collector_database({.data_dir = options.data_dir,
                                          .url = options.database.url,
                                          .connections = options.database.connections,
                                          .check_file = true})),
        runs(*database),
        key(load_or_create_key((std::filesystem::path(options.data_dir) / "key").string())),
        ingest(runs, key, IngestPolicy{options.accept_simulated, options.per_key}, now_ms),
        keys(runs, key, now_ms),
        public_log(*database, key, now_ms),
        log_keeper(public_log, problem()),
        log_routes(public_log, runs),
        aggregates(*database, now_ms, problem()),
        exports(options.data_dir),
        read(runs, Surrogates(*database->take(ConnectionPool::Access::write)), exports,
             [this] { return aggregates.current(); }),
        proofs(*database),
        challenges(
            runs, proofs,
            {now_ms, steady_ns, [this] { aggregates.note_change(); }, problem(),
             [this](AttestationState state) { attestations.add(state); }},
            options.attestation_root ? AttestationRoots::from_file(*options.attestation_root) : AttestationRoots()),
        pool_checks(*database),
        pool_keeper(pool_checks, now_ms, problem()),
        floor(challenges, proofs, pool_checks, runs),
        routes({ingest, keys, runs, read, floor, log_routes, [this] { note_change(); }, options.per_network,
                [this](const RequestRecord& record) { log.request(record); }, steady_ms,
                [this] { return log.dropped(); }, &attestations},
               problem()),
        retention(runs, options.retention, now_ms, problem()),
        server({options.host, options.port, options.limits, options.tls, options.trusted_proxies, problem(),
                [this](int status) { routes.count_refused(status); }},
               [this](const HttpRequest& request) { return routes.answer(request); }) {}

  void note_change() {
    aggregates.note_change();
    log_keeper.note_change();
  }

  std::function<void(std::string_view)> problem() {
    return [this](std::string_view message) { problems.say(message); };
  }

  const Log log;
  RepeatedProblems problems;
  std::unique_ptr<ConnectionPool> database;
  RunStore runs;
  KeyPair key;
  Ingest ingest;
  KeyChanges keys;
  PublicLog public_log;
  PublicLogKeeper log_keeper;
  PublicLogRoutes log_routes;
  AggregateKeeper aggregates;
  ExportSpace exports;
  ReadRoutes read;
  FloorProofs proofs;
  AttestationCounts attestations;
  Challenges challenges;
  PoolChecks pool_checks;
  PoolKeeper pool_keeper;
  FloorRoutes floor;
  Routes routes;
  Retention retention;
  Server server;
};

Collector::Collector(const ServeOptions& options, const std::function<std::int64_t()>& now_ms, const Log& log)
    : parts_(std::make_unique<Parts>(options, now_ms, log)) {}
Collector::~Collector() = default;

Server& Collector::server() { return parts_->server; }

}  // namespace gpuassay
