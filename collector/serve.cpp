#include "collector/serve.h"

#include <filesystem>

#include "collector/aggregate_keeper.h"
#include "collector/collector_database.h"
#include "collector/ingest.h"
#include "collector/routes.h"
#include "collector/store.h"
#include "core/key_file.h"

namespace gpuassay {

/// Declared in the order in which each part needs those before it.
struct Collector::Parts {
  Parts(const ServeOptions& options, const std::function<std::int64_t()>& now_ms,
        const std::function<void(std::string_view)>& log)
      : database(open_collector_database({.data_dir = options.data_dir,
                                          .url = options.database.url,
                                          .connections = options.database.connections,
                                          .check_file = true})),
        runs(*database),
        ingest(runs, load_or_create_key((std::filesystem::path(options.data_dir) / "key").string()),
               IngestPolicy{options.accept_simulated, options.per_key}, now_ms),
        aggregates(*database, now_ms, log),
        read(runs, [this] { return aggregates.current(); }),
        routes({ingest, runs, read, [this] { aggregates.note_change(); }, options.per_network}, now_ms, log),
        server({options.host, options.port, options.limits, options.tls, options.trusted_proxies, log,
                [this](int status) { routes.count_refused(status); }},
               [this](const HttpRequest& request) { return routes.answer(request); }) {}

  std::unique_ptr<ConnectionPool> database;
  RunStore runs;
  Ingest ingest;
  AggregateKeeper aggregates;
  ReadRoutes read;
  Routes routes;
  Server server;
};

Collector::Collector(const ServeOptions& options, const std::function<std::int64_t()>& now_ms,
                     const std::function<void(std::string_view)>& log)
    : parts_(std::make_unique<Parts>(options, now_ms, log)) {}
Collector::~Collector() = default;

Server& Collector::server() { return parts_->server; }

}  // namespace gpuassay
