#include "collector/read_routes.h"

#include <fmt/format.h>

#include <chrono>

#include "collector/floor/trust.h"
#include "collector/percentile.h"
#include "collector/published_result.h"
#include "collector/query_string.h"
#include "collector/run_json.h"
#include "core/error.h"

namespace gpuassay {
namespace {

constexpr const char* kJson = "application/json";
constexpr std::int64_t kMostOfPage = 500;

HttpReply json_reply(std::string body) { return {200, kJson, std::move(body), {}, {}}; }

HttpReply not_ready() {
  HttpReply reply = problem_reply(503, "Not ready yet", "The aggregates are being made; try again in a moment.");
  reply.headers.emplace_back("Retry-After", "2");
  return reply;
}

HttpReply no_such_run() { return problem_reply(404, "Not found", "No run is stored under this run_id."); }

/// The client has gone, so that hardly anybody will read this, or the collector is being stopped.
HttpReply nobody_waits() {
  HttpReply reply = problem_reply(503, "The export was given up", "Nobody waited for it; ask again in a moment.");
  reply.headers.emplace_back("Retry-After", "5");
  return reply;
}

RunFilter filter_of(const QueryString& query) {
  RunFilter filter;
  filter.gpu_model = query.text("gpu_model");
  filter.provider = query.text("provider");
  filter.instance_type = query.text("instance_type");
  filter.region = query.text("region");
  filter.trust = query.text("trust");
  filter.started_from_ms = query.instant_ms("started_from");
  filter.started_before_ms = query.instant_ms("started_before");
  return filter;
}

/// One of the labels, when one is asked for.
std::optional<std::string> label_of(const QueryString& query) {
  auto label = query.text("trust");
  if (label && !from_name<Trust>(*label))
    throw Error(ErrorCode::usage, "the parameter trust must be self_reported, recomputed, floor_verified or attested");
  return label;
}

}  // namespace

ReadRoutes::ReadRoutes(const RunStore& store, Surrogates names, ExportSpace& exports,
                       std::function<std::shared_ptr<const Aggregates>()> aggregates)
    : store_(store), names_(std::move(names)), exports_(exports), aggregates_(std::move(aggregates)) {}

HttpReply ReadRoutes::list(const HttpRequest& request) const {
  const QueryString query(request.query, {"gpu_model", "provider", "instance_type", "region", "trust", "started_from",
                                          "started_before", "simulated", "quarantined", "limit", "cursor"});
  RunFilter filter = filter_of(query);
  filter.with_simulated = query.flag("simulated");
  filter.with_quarantined = query.flag("quarantined");
  constexpr std::int64_t kUsual = 100;
  const auto limit = static_cast<std::size_t>(query.integer("limit", 1, kMostOfPage).value_or(kUsual));
  std::optional<RunCursor> after;
  if (const auto text = query.text("cursor")) {
    after = parse_cursor(*text);
    if (!after) throw Error(ErrorCode::usage, "the parameter cursor is not one that a page gave as `next`");
  }
  return json_reply(run_page_json(store_.list(filter, limit, after)));
}

HttpReply ReadRoutes::result(std::string_view run_id) const {
  auto body = store_.body(run_id);
  return body ? json_reply(published_result(*std::move(body), names_)) : no_such_run();
}

HttpReply ReadRoutes::page(std::string_view run_id) const {
  const auto run = store_.columns(run_id);
  if (!run) return no_such_run();
  return {200, "text/html; charset=utf-8", run_page(*run), {}, {}};
}

HttpReply ReadRoutes::gpus(const HttpRequest& request) const {
  const QueryString query(request.query, {"gpu_model", "trust"});
  const auto aggregates = aggregates_();
  return aggregates ? json_reply(gpus_json(*aggregates, query.text("gpu_model"), label_of(query))) : not_ready();
}

HttpReply ReadRoutes::offers(const HttpRequest& request) const {
  const QueryString query(request.query, {"gpu_model", "provider", "trust", "limit", "offset"});
  constexpr std::int64_t kFurthest = 1'000'000;
  OfferFilter filter{query.text("gpu_model"), query.text("provider"), label_of(query)};
  filter.limit = static_cast<std::size_t>(query.integer("limit", 1, kMostOfPage).value_or(kMostOfPage));
  filter.offset = static_cast<std::size_t>(query.integer("offset", 0, kFurthest).value_or(0));
  const auto aggregates = aggregates_();
  return aggregates ? json_reply(offers_json(*aggregates, filter)) : not_ready();
}

HttpReply ReadRoutes::percentile(const HttpRequest& request) const {
  const QueryString query(request.query, {"gpu_model", "gpu_count", "score_version", "score"});
  constexpr std::int64_t kMostGpusAsked = 10'000;
  constexpr double kHighest = 1e9;
  const auto model = query.text("gpu_model");
  const auto count = query.integer("gpu_count", 1, kMostGpusAsked);
  const auto version = query.text("score_version");
  const auto score = query.number("score", 0, kHighest);
  if (!model || !count || !version || !score)
    throw Error(ErrorCode::usage, "the parameters gpu_model, gpu_count, score_version and score are all needed");
  const auto aggregates = aggregates_();
  return aggregates ? json_reply(percentile_json(*aggregates, *model, *count, *version, *score)) : not_ready();
}

std::optional<double> ReadRoutes::aggregates_age_s() const {
  const auto aggregates = aggregates_();
  if (!aggregates) return std::nullopt;
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - aggregates->made_at).count();
}

HttpReply ReadRoutes::export_runs(const HttpRequest& request, const char* content_type, const std::string& header,
                                  std::string (*line_of)(const RunColumns&)) const {
  const QueryString query(
      request.query, {"gpu_model", "provider", "instance_type", "region", "trust", "started_from", "started_before"});
  HttpReply reply{200, content_type, {}, {}, {}};
  reply.make = [this, filter = filter_of(query), content_type, header,
                line_of](const HttpReply::StillWanted& still_wanted) {
    const auto file = std::make_shared<ExportFile>(exports_);
    file->write(header);
    {
      RunReader runs = store_.read(filter, RunContents::columns);
      for (auto run = runs.next(); run; run = runs.next()) {
        if (!still_wanted()) return nobody_waits();
        file->write(line_of(*run));
      }
    }
    file->rewind();
    HttpReply made{200, content_type, {}, {}, {}};
    // Where reading fails the reply has begun: throwing cuts the connection, where an end would look like the whole
    // export.
    made.next = [file] { return file->read(); };
    return made;
  };
  return reply;
}

HttpReply ReadRoutes::export_csv(const HttpRequest& request) const {
  return export_runs(request, "text/csv; charset=utf-8", run_csv_header(), run_csv);
}

HttpReply ReadRoutes::export_ndjson(const HttpRequest& request) const {
  return export_runs(request, "application/x-ndjson", "", [](const RunColumns& run) { return run_json(run) + "\n"; });
}

}  // namespace gpuassay
