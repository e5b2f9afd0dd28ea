#include "collector/routes.h"

#include <fmt/format.h>

#include <algorithm>

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

}  // namespace

Routes::Routes(Ingest& ingest, const RunStore& store, std::function<void(std::string_view)> log)
    : ingest_(ingest), store_(store), log_(std::move(log)) {}

HttpReply Routes::answer(const HttpRequest& request) {
  try {
    return dispatch(request);
  } catch (const Error& error) {
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
  if (path == "/v1/results") return request.method == "POST" ? post_result(request) : wrong_method("POST");
  constexpr std::string_view kResult = "/v1/results/";
  constexpr std::string_view kShortLink = "/r/";
  for (const std::string_view prefix : {kResult, kShortLink})
    if (path.substr(0, prefix.size()) == prefix)
      return request.method == "GET" ? get_result(path.substr(prefix.size())) : wrong_method("GET");
  if (path == "/healthz")
    return request.method == "GET" ? HttpReply{200, "text/plain", "ok\n", {}} : wrong_method("GET");
  return problem_reply(404, "Not found", "There is nothing at this address.");
}

HttpReply Routes::post_result(const HttpRequest& request) {
  if (!is_json(header(request, "content-type").value_or("")))
    return problem_reply(415, "Unsupported media type", "Send the result as Content-Type: application/json.");
  if (header(request, "content-encoding").value_or("identity") != "identity")
    return problem_reply(415, "Unsupported content encoding", "Send the result uncompressed.");
  return reply_to(
      ingest_.accept({request.body, header(request, "gpuassay-key"), header(request, "gpuassay-signature")}));
}

HttpReply Routes::get_result(std::string_view run_id) const {
  if (auto body = store_.body(run_id)) return {200, "application/json", *std::move(body), {}};
  return problem_reply(404, "Not found", "No run is stored under this run_id.");
}

}  // namespace gpuassay
