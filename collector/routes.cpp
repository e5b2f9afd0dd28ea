#include "collector/routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/ascii.h"
#include "core/error.h"
#include "core/schema.h"
#include "embedded/Openapi.h"

namespace gpuassay {
namespace {

/// "application/json", in any case, with or without parameters.
bool is_json(std::string_view content_type) {
  std::string media_type(content_type.substr(0, content_type.find(';')));
  while (!media_type.empty() && media_type.back() == ' ') media_type.pop_back();
  return lower_case(media_type) == "application/json";
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

HttpReply internal_error() {
  return problem_reply(500, "Internal error", "The collector failed; report this as a bug.");
}

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
    case IngestStatus::too_many: break;  // with its own headers
    case IngestStatus::bad_signature: return problem_reply(403, "The signature does not verify", outcome.detail);
  }
  return internal_error();
}

constexpr std::string_view kResults = "/v1/results";
constexpr std::string_view kResult = "/v1/results/";
constexpr std::string_view kReplaceKey = "/v1/keys/replace";
constexpr std::string_view kRevokeKey = "/v1/keys/revoke";
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

using LogQuery = HttpReply (PublicLogRoutes::*)(const HttpRequest&) const;
constexpr std::array<std::pair<std::string_view, LogQuery>, 5> kLogQueries{
    {{"/v1/log/checkpoint", &PublicLogRoutes::checkpoint},
     {"/v1/log/checkpoints", &PublicLogRoutes::checkpoints},
     {"/v1/log/inclusion", &PublicLogRoutes::inclusion},
     {"/v1/log/consistency", &PublicLogRoutes::consistency},
     {"/v1/log/leaves", &PublicLogRoutes::leaves}}};

/// The one of `queries` at this address, or their end.
template <class Queries>
auto query_at(const Queries& queries, std::string_view path) {
  return std::find_if(queries.begin(), queries.end(), [&](const auto& query) { return query.first == path; });
}

bool takes_posts(std::string_view path) { return path == kResults || path == kReplaceKey || path == kRevokeKey; }

bool is_place(std::string_view path) {
  return takes_posts(path) || path.starts_with(kResult) || path.starts_with(kPage) ||
         std::find(kPlain.begin(), kPlain.end(), path) != kPlain.end() || query_at(kQueries, path) != kQueries.end() ||
         query_at(kLogQueries, path) != kLogQueries.end();
}

std::string methods_of(std::string_view path) {
  if (path == kResults) return "GET, POST";
  if (takes_posts(path)) return "POST";
  return path.starts_with(kResult) ? "GET, DELETE" : "GET";
}

constexpr std::string_view kOther = "other";

/// For the log, which shows nothing that a client made up.
std::string_view method_name(std::string_view method) {
  for (const std::string_view known : {"GET", "POST", "DELETE"})
    if (method == known) return known;
  return kOther;
}

/// The pattern of the address, for counting.
std::string_view route_name(std::string_view path) {
  if (const auto pattern = FloorRoutes::pattern_of(path); !pattern.empty()) return pattern;
  if (path.starts_with(kResult)) return "/v1/results/{id}";
  if (path.starts_with(kPage)) return "/r/{id}";
  if (takes_posts(path)) return path == kReplaceKey ? kReplaceKey : path == kRevokeKey ? kRevokeKey : kResults;
  if (const auto* query = query_at(kQueries, path); query != kQueries.end()) return query->first;
  if (const auto* query = query_at(kLogQueries, path); query != kLogQueries.end()) return query->first;
  const auto* const plain = std::find(kPlain.begin(), kPlain.end(), path);
  return plain == kPlain.end() ? kOther : *plain;
}

HttpReply too_many(std::int64_t wait_s, const std::string& detail) {
  HttpReply reply = problem_reply(429, "Too many requests", detail);
  reply.headers.emplace_back("Retry-After", std::to_string(wait_s));
  return reply;
}

}  // namespace

Routes::Routes(RouteTargets targets, std::function<void(std::string_view)> log)
    : targets_(std::move(targets)), per_network_(targets_.per_network), log_(std::move(log)) {}

HttpReply Routes::answer(const HttpRequest& request) {
  const auto started = std::chrono::steady_clock::now();
  HttpReply reply = answer_or_fail([&] { return dispatch(request); });
  // The header says nothing of what has to be made.
  if (request.is_head && std::exchange(reply.make, {})) reply.next = [] { return std::string(); };
  const auto note_answer = [this, started, method = method_name(request.method),
                            route = route_name(request.path)](const HttpReply& answer) {
    note({method, route, answer.status, std::chrono::steady_clock::now() - started, answer.outcome});
  };
  if (!reply.make) {
    note_answer(reply);
    return reply;
  }
  reply.make = [this, note_answer, make = std::move(reply.make)](const HttpReply::StillWanted& still_wanted) {
    HttpReply made = answer_or_fail([&] { return make(still_wanted); });
    note_answer(made);
    return made;
  };
  return reply;
}

void Routes::count_refused(int status) { note({kOther, "refused", status, {}, {}}); }

void Routes::note(const RequestRecord& record) {
  metrics_.count_request(record.route, record.status, record.took);
  if (targets_.note_request) targets_.note_request(record);
}

HttpReply Routes::answer_or_fail(const std::function<HttpReply()>& give_answer) {
  try {
    return give_answer();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::usage) return problem_reply(400, "Not an acceptable request", error.what());
    log_(error.what());
    if (error.code() != ErrorCode::database) return internal_error();
  } catch (const std::exception& error) {
    log_(error.what());
    return internal_error();
  }
  HttpReply reply = problem_reply(503, "The store does not work", "Nothing was stored; try again later.");
  reply.headers.emplace_back("Retry-After", "5");
  return reply;
}

HttpReply Routes::dispatch(const HttpRequest& request) {
  const std::string_view path = request.path;
  if (!FloorRoutes::pattern_of(path).empty()) return floor(request);
  if (request.method == "POST" && takes_posts(path)) return post(request);
  if (path.starts_with(kResult) && request.method == "DELETE") return delete_result(request);
  if (!is_place(path)) return not_found();
  if (request.method != "GET" || path == kReplaceKey || path == kRevokeKey) return wrong_method(methods_of(path));
  return get(request);
}

HttpReply Routes::get(const HttpRequest& request) const {
  const std::string_view path = request.path;
  if (const auto* query = query_at(kQueries, path); query != kQueries.end())
    return (targets_.read.*query->second)(request);
  if (const auto* query = query_at(kLogQueries, path); query != kLogQueries.end())
    return (targets_.public_log.*query->second)(request);
  if (path.starts_with(kResult)) return targets_.read.result(path.substr(kResult.size()));
  if (path.starts_with(kPage)) return targets_.read.page(path.substr(kPage.size()));
  if (path == kMetrics) return metrics();
  if (path == kOpenapi) return {200, "application/json", std::string(embedded::kOpenapi), {}};
  if (path == kSchema) return {200, "application/schema+json", std::string(schema_text("result")), {}};
  return path == kReady ? ready() : HttpReply{200, "text/plain", "ok\n", {}};
}

HttpReply Routes::floor(const HttpRequest& request) {
  const std::string method(FloorRoutes::method_of(request.path));
  if (request.method != method) return wrong_method(method);
  if (method == "POST") {
    if (auto busy = beyond_share(request)) return *std::move(busy);
  }
  return targets_.floor.answer(request);
}

/// Ready means that the database answers; whether its disk is full only writing shows.
HttpReply Routes::ready() const {
  targets_.store.require_working();
  return {200, "text/plain", "ready\n", {}};
}

HttpReply Routes::post(const HttpRequest& request) {
  const bool brings_result = request.path == kResults;
  if (brings_result && !is_json(header_of(request, "content-type").value_or("")))
    return problem_reply(415, "Unsupported media type", "Send the result as Content-Type: application/json.");
  if (auto busy = beyond_share(request)) return *std::move(busy);
  return brings_result ? post_result(request) : change_key(request);
}

/// Everything that writes counts, uploads, deletions and changes of keys.
std::optional<HttpReply> Routes::beyond_share(const HttpRequest& request) {
  const auto wait_s = per_network_.wait_s(network_of(request.peer), targets_.steady_ms());
  if (!wait_s) return std::nullopt;
  return too_many(*wait_s, "This network sends more than its share; try again later.");
}

HttpReply Routes::post_result(const HttpRequest& request) {
  const IngestOutcome outcome = targets_.ingest.accept(
      {request.body, header_of(request, "gpuassay-key"), header_of(request, "gpuassay-signature")});
  metrics_.count_upload(name_of(outcome.status));
  if (outcome.status == IngestStatus::created) {
    targets_.note_change();
    if (!outcome.detail.empty()) metrics_.count_quarantined();
  }
  HttpReply reply =
      outcome.status == IngestStatus::too_many ? too_many(outcome.retry_after_s, outcome.detail) : reply_to(outcome);
  reply.outcome = name_of(outcome.status);
  return reply;
}

HttpReply Routes::delete_result(const HttpRequest& request) {
  using Status = DeletionOutcome::Status;
  if (auto busy = beyond_share(request)) return *std::move(busy);
  const DeletionOutcome outcome =
      targets_.ingest.retract({request.path.substr(kResult.size()), header_of(request, "gpuassay-key"),
                               header_of(request, "gpuassay-signature")});
  switch (outcome.status) {
    case Status::deleted: targets_.note_change(); return {200, "application/json", outcome.tombstone, {}};
    case Status::unknown: return problem_reply(kNotFound, "Not found", outcome.detail);
    case Status::other_key: return problem_reply(403, "Not the contributor's key", outcome.detail);
    case Status::unsigned_request: return problem_reply(400, "The deletion is not signed", outcome.detail);
    case Status::bad_signature: return problem_reply(403, "The signature does not verify", outcome.detail);
  }
  return internal_error();
}

HttpReply Routes::change_key(const HttpRequest& request) {
  using Status = KeyChangeOutcome::Status;
  const KeyProof key{header_of(request, "gpuassay-key"), header_of(request, "gpuassay-signature")};
  const KeyProof new_key{header_of(request, "gpuassay-new-key"), header_of(request, "gpuassay-new-signature")};
  const KeyChangeOutcome outcome =
      request.path == kReplaceKey ? targets_.keys.replace(key, new_key) : targets_.keys.revoke(key);
  switch (outcome.status) {
    case Status::done: targets_.note_change(); return {200, "application/json", outcome.statement, {}};
    case Status::unknown: return problem_reply(kNotFound, "Not found", outcome.detail);
    case Status::conflict: return problem_reply(409, "The key has ended otherwise", outcome.detail);
    case Status::unsigned_request: return problem_reply(400, "The request is not signed", outcome.detail);
    case Status::bad_signature: return problem_reply(403, "The signature does not verify", outcome.detail);
  }
  return internal_error();
}

HttpReply Routes::metrics() const {
  Gauges gauges{targets_.read.aggregates_age_s(), targets_.dropped_log_lines()};
  if (targets_.attestations != nullptr) {
    gauges.verified_attestations = targets_.attestations->verified();
    gauges.refused_attestations = targets_.attestations->refused();
  }
  return {200, "text/plain; version=0.0.4; charset=utf-8", metrics_.text(gauges), {}};
}

}  // namespace gpuassay
