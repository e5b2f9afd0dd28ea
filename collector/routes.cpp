#include "collector/routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/schema.h"
#include "embedded/Openapi.h"

namespace gpuassay {
namespace {

std::optional<std::string> header(const HttpRequest& request, const std::string& name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? std::nullopt : std::optional(found->second);
}

/// "application/json", in any case, with or without parameters.
bool is_json(std::string_view content_type) {
  std::string media_type(content_type.substr(0, content_type.find(';')));
  while (!media_type.empty() && media_type.back() == ' ') media_type.pop_back();
  std::transform(media_type.begin(), media_type.end(), media_type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return media_type == "application/json";
}

HttpReply wrong_method(const std::string& allowed) {
  HttpReply reply = problem_reply(405, "Method not allowed", "This address answers " + allowed + " only.");
  reply.headers.emplace_back("Allow", allowed);
  return reply;
}

/// Printable ASCII: names of devices are in the text.
std::string header_text(std::string_view text) {
  constexpr std::size_t kLongest = 1000;
  std::string clean(text.substr(0, kLongest));
  std::replace_if(clean.begin(), clean.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return clean;
}

constexpr int kNotFound = 404;

HttpReply not_found() { return problem_reply(kNotFound, "Not found", "There is nothing at this address."); }

HttpReply accepted(int status, const IngestOutcome& outcome) {
  HttpReply reply{status, "application/json", outcome.receipt, {{"Location", "/v1/results/" + outcome.run_id}}};
  if (!outcome.detail.empty()) reply.headers.emplace_back("Gpuassay-Quarantine", header_text(outcome.detail));
  return reply;
}

HttpReply reply_to(const IngestOutcome& outcome) {
  switch (outcome.status) {
    case IngestStatus::created: return accepted(201, outcome);
    case IngestStatus::replayed: return accepted(200, outcome);
    case IngestStatus::conflict: return problem_reply(409, "Another result has this run_id", outcome.detail);
    case IngestStatus::retracted: return problem_reply(410, "This run was retracted", outcome.detail);
    case IngestStatus::malformed: return problem_reply(400, "Not an acceptable JSON document", outcome.detail);
    case IngestStatus::invalid:
      return problem_reply(422, "Not a valid result document", outcome.detail, outcome.violations);
    case IngestStatus::simulated_refused: return problem_reply(403, "Simulated result refused", outcome.detail);
    case IngestStatus::unsigned_body: return problem_reply(400, "The upload is not signed", outcome.detail);
    case IngestStatus::revoked_key: return problem_reply(403, "The key was revoked", outcome.detail);
    case IngestStatus::too_many: break;  // with its own headers, below
    case IngestStatus::bad_signature: return problem_reply(403, "The signature does not verify", outcome.detail);
  }
  return problem_reply(500, "Internal error", "The collector failed; report this as a bug.");
}

constexpr std::string_view kResults = "/v1/results";
constexpr std::string_view kResult = "/v1/results/";
constexpr std::string_view kPage = "/r/";
constexpr std::string_view kHealth = "/healthz";
constexpr std::string_view kReady = "/readyz";
constexpr std::string_view kMetrics = "/metrics";
constexpr std::string_view kOpenapi = "/openapi.json";
constexpr std::string_view kSchema = "/schemas/result.v1.json";
constexpr std::array kPlain{kHealth, kReady, kMetrics, kOpenapi, kSchema};

using Query = HttpReply (ReadRoutes::*)(const HttpRequest&) const;
constexpr std::array<std::pair<std::string_view, Query>, 6> kQueries{
    {{kResults, &ReadRoutes::list},
     {"/v1/gpus", &ReadRoutes::gpus},
     {"/v1/offers", &ReadRoutes::offers},
     {"/v1/percentile", &ReadRoutes::percentile},
     {"/v1/export.csv", &ReadRoutes::export_csv},
     {"/v1/export.ndjson", &ReadRoutes::export_ndjson}}};

bool is_place(std::string_view path) {
  return path.starts_with(kResult) || path.starts_with(kPage) ||
         std::find(kPlain.begin(), kPlain.end(), path) != kPlain.end() ||
         std::any_of(kQueries.begin(), kQueries.end(), [&](const auto& query) { return query.first == path; });
}

std::string methods_of(std::string_view path) {
  if (path == kResults) return "GET, POST";
  return path.starts_with(kResult) ? "GET, DELETE" : "GET";
}

/// The pattern of the address, for counting.
std::string_view route_name(std::string_view path) {
  if (path.starts_with(kResult)) return "/v1/results/{id}";
  if (path.starts_with(kPage)) return "/r/{id}";
  for (const auto& [place, answer] : kQueries)
    if (path == place) return place;
  const auto* const plain = std::find(kPlain.begin(), kPlain.end(), path);
  return plain == kPlain.end() ? "other" : *plain;
}

HttpReply too_many(std::int64_t wait_s, const std::string& detail) {
  HttpReply reply = problem_reply(429, "Too many uploads", detail);
  reply.headers.emplace_back("Retry-After", std::to_string(wait_s));
  return reply;
}

}  // namespace

Routes::Routes(RouteTargets targets, std::function<std::int64_t()> now_ms, std::function<void(std::string_view)> log)
    : targets_(std::move(targets)),
      per_network_(targets_.per_network),
      now_ms_(std::move(now_ms)),
      log_(std::move(log)) {}

HttpReply Routes::answer(const HttpRequest& request) {
  const auto started = std::chrono::steady_clock::now();
  HttpReply reply = answer_or_fail(request);
  metrics_.count_request(route_name(request.path), reply.status, std::chrono::steady_clock::now() - started);
  return reply;
}

void Routes::count_refused(int status) { metrics_.count_request("refused", status, {}); }

HttpReply Routes::answer_or_fail(const HttpRequest& request) {
  try {
    return dispatch(request);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::usage) return problem_reply(400, "Not an acceptable request", error.what());
    log_(error.what());
    if (error.code() != ErrorCode::database)
      return problem_reply(500, "Internal error", "The collector failed; report this as a bug.");
  } catch (const std::exception& error) {
    log_(error.what());
    return problem_reply(500, "Internal error", "The collector failed; report this as a bug.");
  }
  HttpReply reply = problem_reply(503, "The store does not work", "Nothing was stored; try again later.");
  reply.headers.emplace_back("Retry-After", "5");
  return reply;
}

HttpReply Routes::dispatch(const HttpRequest& request) {
  const std::string_view path = request.path;
  if (path == kResults && request.method == "POST") return post_result(request);
  if (path.starts_with(kResult) && request.method == "DELETE") return delete_result(request);
  if (!is_place(path)) return not_found();
  if (request.method != "GET") return wrong_method(methods_of(path));
  return get(request);
}

HttpReply Routes::get(const HttpRequest& request) const {
  const std::string_view path = request.path;
  for (const auto& [place, answer] : kQueries)
    if (path == place) return (targets_.read.*answer)(request);
  if (path.starts_with(kResult)) return targets_.read.result(path.substr(kResult.size()));
  if (path.starts_with(kPage)) return targets_.read.page(path.substr(kPage.size()));
  if (path == kMetrics) return metrics();
  if (path == kOpenapi) return {200, "application/json", std::string(embedded::kOpenapi), {}};
  if (path == kSchema) return {200, "application/schema+json", std::string(schema_text("result")), {}};
  return path == kReady ? ready() : HttpReply{200, "text/plain", "ok\n", {}};
}

/// Ready means that the database answers; whether its disk is full only writing shows.
HttpReply Routes::ready() const {
  targets_.store.require_working();
  return {200, "text/plain", "ready\n", {}};
}

HttpReply Routes::post_result(const HttpRequest& request) {
  if (!is_json(header(request, "content-type").value_or("")))
    return problem_reply(415, "Unsupported media type", "Send the result as Content-Type: application/json.");
  if (const auto wait_s = per_network_.wait_s(network_of(request.peer), now_ms_()))
    return too_many(*wait_s, "This network sends more than its share; try again later.");
  const IngestOutcome outcome =
      targets_.ingest.accept({request.body, header(request, "gpuassay-key"), header(request, "gpuassay-signature")});
  metrics_.count_upload(name_of(outcome.status));
  if (outcome.status == IngestStatus::too_many) return too_many(outcome.retry_after_s, outcome.detail);
  if (outcome.status == IngestStatus::created) {
    targets_.note_change();
    if (!outcome.detail.empty()) metrics_.count_quarantined();
  }
  return reply_to(outcome);
}

HttpReply Routes::delete_result(const HttpRequest& request) {
  using Status = DeletionOutcome::Status;
  const DeletionOutcome outcome = targets_.ingest.retract(
      {request.path.substr(kResult.size()), header(request, "gpuassay-key"), header(request, "gpuassay-signature")});
  switch (outcome.status) {
    case Status::deleted: targets_.note_change(); return {200, "application/json", outcome.tombstone, {}};
    case Status::unknown: return problem_reply(kNotFound, "Not found", outcome.detail);
    case Status::other_key: return problem_reply(403, "Not the contributor's key", outcome.detail);
    case Status::unsigned_request: return problem_reply(400, "The deletion is not signed", outcome.detail);
    case Status::bad_signature: return problem_reply(403, "The signature does not verify", outcome.detail);
  }
  return problem_reply(500, "Internal error", "The collector failed; report this as a bug.");
}

HttpReply Routes::metrics() const {
  constexpr double kMsPerSecond = 1000;
  const auto as_of_ms = targets_.read.aggregates_as_of_ms();
  const double age_s = as_of_ms ? static_cast<double>(now_ms_() - *as_of_ms) / kMsPerSecond : -1;
  return {200, "text/plain; version=0.0.4; charset=utf-8", metrics_.text(age_s), {}};
}

}  // namespace gpuassay
