#include "collector/serve.h"

#include <filesystem>

#include "collector/ingest.h"
#include "collector/routes.h"
#include "collector/store.h"
#include "core/key_file.h"
#include "core/price_store.h"

namespace gpuassay {

/// Declared in the order in which each part needs those before it.
struct Collector::Parts {
  Parts(const ServeOptions& options, std::function<std::int64_t()> now_ms, std::function<void(std::string_view)> log,
        const ServerLimits& limits)
      : database(open_collector_database(options.data_dir)),
        prices(database),
        runs(database),
        ingest(runs, load_or_create_key((std::filesystem::path(options.data_dir) / "key").string()),
               IngestPolicy{options.accept_simulated}, std::move(now_ms)),
        routes(ingest, runs, std::move(log)),
        server(
            options.host, options.port, [this](const HttpRequest& request) { return routes.answer(request); }, limits) {
  }

  Database database;
  PriceStore prices;  // makes the view `prices` of join.sql
  RunStore runs;
  Ingest ingest;
  Routes routes;
  Server server;
};

Collector::Collector(const ServeOptions& options, std::function<std::int64_t()> now_ms,
                     std::function<void(std::string_view)> log, const ServerLimits& limits)
    : parts_(std::make_unique<Parts>(options, std::move(now_ms), std::move(log), limits)) {}
Collector::~Collector() = default;

Server& Collector::server() { return parts_->server; }

}  // namespace gpuassay
