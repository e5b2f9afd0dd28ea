#include "collector/routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.h"

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
    case IngestStatus::bad_signature: return problem_reply(403, "The signature does not verify", outcome.detail);
  }
  return problem_reply(500, "Internal error", "The collector failed; report this as a bug.");
}

constexpr std::string_view kResults = "/v1/results";
constexpr std::string_view kResult = "/v1/results/";
constexpr std::string_view kPage = "/r/";
constexpr std::string_view kHealth = "/healthz";
constexpr std::string_view kReady = "/readyz";

using Query = HttpReply (ReadRoutes::*)(const HttpRequest&) const;
constexpr std::array<std::pair<std::string_view, Query>, 6> kQueries{{{kResults, &ReadRoutes::list},
                                                                      {"/v1/gpus", &ReadRoutes::gpus},
                                                                      {"/v1/offers", &ReadRoutes::offers},
                                                                      {"/v1/percentile", &ReadRoutes::percentile},
                                                                      {"/v1/export.csv", &ReadRoutes::export_csv},
                                                                      {"/v1/export.ndjson", &ReadRoutes::export_ndjson}}};

bool is_place(std::string_view path) {
  return path.starts_with(kResult) || path.starts_with(kPage) || path == kHealth || path == kReady ||
         std::any_of(kQueries.begin(), kQueries.end(), [&](const auto& query) { return query.first == path; });
}

}  // namespace

Routes::Routes(RouteTargets targets, std::function<void(std::string_view)> log)
    : targets_(std::move(targets)), log_(std::move(log)) {}

HttpReply Routes::answer(const HttpRequest& request) {
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
  if (!is_place(path)) return not_found();
  if (request.method != "GET") return wrong_method(path == kResults ? "GET, POST" : "GET");
  return get(request);
}

HttpReply Routes::get(const HttpRequest& request) const {
  const std::string_view path = request.path;
  for (const auto& [place, answer] : kQueries)
    if (path == place) return (targets_.read.*answer)(request);
  if (path.starts_with(kResult)) return targets_.read.result(path.substr(kResult.size()));
  if (path.starts_with(kPage)) return targets_.read.page(path.substr(kPage.size()));
  return path == kReady ? ready() : HttpReply{200, "text/plain", "ok\n", {}};
}

/// Ready means that an upload would be stored now.
HttpReply Routes::ready() const {
  targets_.store.require_working();
  return {200, "text/plain", "ready\n", {}};
}

HttpReply Routes::post_result(const HttpRequest& request) {
  if (!is_json(header(request, "content-type").value_or("")))
    return problem_reply(415, "Unsupported media type", "Send the result as Content-Type: application/json.");
  if (header(request, "content-encoding").value_or("identity") != "identity")
    return problem_reply(415, "Unsupported content encoding", "Send the result uncompressed.");
  const IngestOutcome outcome = targets_.ingest.accept(
      {request.body, header(request, "gpuassay-key"), header(request, "gpuassay-signature")});
  if (outcome.status == IngestStatus::created) targets_.note_change();
  return reply_to(outcome);
}

}  // namespace gpuassay
