#include "collector/read_routes.h"

#include <fmt/format.h>

#include <cstdio>

#include "collector/percentile.h"
#include "collector/query_string.h"
#include "collector/run_json.h"
#include "core/error.h"

namespace gpuassay {
namespace {

constexpr const char* kJson = "application/json";

HttpReply json_reply(std::string body) { return {200, kJson, std::move(body), {}, {}}; }

HttpReply not_ready() {
  HttpReply reply = problem_reply(503, "Not ready yet", "The aggregates are being made; try again in a moment.");
  reply.headers.emplace_back("Retry-After", "2");
  return reply;
}

HttpReply no_such_run() { return problem_reply(404, "Not found", "No run is stored under this run_id."); }

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

void write(std::FILE* file, const std::string& line) {
  if (std::fwrite(line.data(), 1, line.size(), file) != line.size())
    throw_errno(ErrorCode::database, "cannot write the export", errno);
}

/// The snapshot in a temporary file that has no name, read from its beginning.
HttpReply export_reply(const RunStore& store, const HttpRequest& request, const char* content_type,
                       const std::string& header, std::string (*line_of)(const RunColumns&)) {
  const QueryString query(
      request.query, {"gpu_model", "provider", "instance_type", "region", "trust", "started_from", "started_before"});
  const std::shared_ptr<std::FILE> file(std::tmpfile(), [](std::FILE* opened) {
    if (opened != nullptr) (void)std::fclose(opened);
  });
  if (!file) throw_errno(ErrorCode::database, "cannot make a temporary file for the export", errno);
  write(file.get(), header);
  RunReader runs = store.read(filter_of(query), RunContents::columns);
  while (const auto run = runs.next()) write(file.get(), line_of(*run));
  // Seeking writes what is left in the buffer.
  if (std::fseek(file.get(), 0, SEEK_SET) != 0) throw_errno(ErrorCode::database, "cannot write the export", errno);
  HttpReply reply{200, content_type, {}, {}, {}};
  reply.next = [file]() {
    constexpr std::size_t kChunk = 64U << 10U;
    std::string chunk(kChunk, '\0');
    chunk.resize(std::fread(chunk.data(), 1, chunk.size(), file.get()));
    // The reply has begun: throwing cuts the connection, where an end would look like the whole export.
    if (std::ferror(file.get()) != 0) throw_errno(ErrorCode::database, "cannot read the export", errno);
    return chunk;
  };
  return reply;
}

}  // namespace

ReadRoutes::ReadRoutes(const RunStore& store, std::function<std::shared_ptr<const Aggregates>()> aggregates)
    : store_(store), aggregates_(std::move(aggregates)) {}

HttpReply ReadRoutes::list(const HttpRequest& request) const {
  const QueryString query(request.query, {"gpu_model", "provider", "instance_type", "region", "trust", "started_from",
                                          "started_before", "simulated", "quarantined", "limit", "cursor"});
  RunFilter filter = filter_of(query);
  filter.with_simulated = query.flag("simulated");
  filter.with_quarantined = query.flag("quarantined");
  constexpr std::int64_t kMost = 500;
  constexpr std::int64_t kUsual = 100;
  const auto limit = static_cast<std::size_t>(query.integer("limit", 1, kMost).value_or(kUsual));
  std::optional<RunCursor> after;
  if (const auto text = query.text("cursor")) {
    after = parse_cursor(*text);
    if (!after) throw Error(ErrorCode::usage, "the parameter cursor is not one that a page gave as `next`");
  }
  return json_reply(run_page_json(store_.list(filter, limit, after)));
}

HttpReply ReadRoutes::result(std::string_view run_id) const {
  auto body = store_.body(run_id);
  return body ? json_reply(*std::move(body)) : no_such_run();
}

HttpReply ReadRoutes::page(std::string_view run_id) const {
  const auto run = store_.columns(run_id);
  if (!run) return no_such_run();
  return {200, "text/html; charset=utf-8", run_page(*run), {}, {}};
}

HttpReply ReadRoutes::gpus(const HttpRequest& request) const {
  const QueryString query(request.query, {"gpu_model"});
  const auto aggregates = aggregates_();
  return aggregates ? json_reply(gpus_json(*aggregates, query.text("gpu_model"))) : not_ready();
}

HttpReply ReadRoutes::offers(const HttpRequest& request) const {
  const QueryString query(request.query, {"gpu_model", "provider"});
  const auto aggregates = aggregates_();
  return aggregates ? json_reply(offers_json(*aggregates, query.text("gpu_model"), query.text("provider")))
                    : not_ready();
}

HttpReply ReadRoutes::percentile(const HttpRequest& request) const {
  const QueryString query(request.query, {"gpu_model", "gpu_count", "score_version", "score"});
  constexpr std::int64_t kMostGpus = 10'000;
  constexpr double kHighest = 1e9;
  const auto model = query.text("gpu_model");
  const auto count = query.integer("gpu_count", 1, kMostGpus);
  const auto version = query.text("score_version");
  const auto score = query.number("score", 0, kHighest);
  if (!model || !count || !version || !score)
    throw Error(ErrorCode::usage, "the parameters gpu_model, gpu_count, score_version and score are all needed");
  const auto aggregates = aggregates_();
  return aggregates ? json_reply(percentile_json(*aggregates, *model, *count, *version, *score)) : not_ready();
}

std::optional<std::int64_t> ReadRoutes::aggregates_as_of_ms() const {
  const auto aggregates = aggregates_();
  return aggregates ? std::optional(aggregates->as_of_ms) : std::nullopt;
}

HttpReply ReadRoutes::export_csv(const HttpRequest& request) const {
  return export_reply(store_, request, "text/csv; charset=utf-8", run_csv_header(), run_csv);
}

HttpReply ReadRoutes::export_ndjson(const HttpRequest& request) const {
  return export_reply(store_, request, "application/x-ndjson", "",
                      [](const RunColumns& run) { return run_json(run) + "\n"; });
}

}  // namespace gpuassay
