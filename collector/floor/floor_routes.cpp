#include "collector/floor/floor_routes.h"

#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "collector/floor/trust.h"
#include "core/result_json.h"

namespace gpuassay {
namespace {

using nlohmann::json;
using Status = FloorAnswer::Status;

constexpr std::string_view kAsk = "/v1/challenges";
constexpr std::string_view kChallenge = "/v1/challenges/";
constexpr std::string_view kCommitment = "/commitment", kOpenings = "/openings";
constexpr std::string_view kAttestations = "/attestations";
constexpr std::string_view kRuns = "/v1/results/", kTrust = "/trust";

constexpr std::string_view kCommitmentPattern = "/v1/challenges/{id}/commitment";
constexpr std::string_view kOpeningsPattern = "/v1/challenges/{id}/openings";
constexpr std::string_view kAttestationsPattern = "/v1/challenges/{id}/attestations";
constexpr std::string_view kOutcomesPattern = "/v1/challenges/{id}";
constexpr std::string_view kTrustPattern = "/v1/results/{id}/trust";

/// What stands between; empty where there is nothing or a further part.
std::string_view id_between(std::string_view path, std::string_view before, std::string_view after) {
  if (!path.starts_with(before) || !path.ends_with(after) || path.size() <= before.size() + after.size()) return {};
  const std::string_view id = path.substr(before.size(), path.size() - before.size() - after.size());
  return id.find('/') == std::string_view::npos ? id : std::string_view();
}

HttpReply floor_reply(const FloorAnswer& answer) {
  constexpr const char* kTitle = "No verified run";
  switch (answer.status) {
    case Status::done: return {200, "application/json", answer.body, {}};
    case Status::queued: return {202, "application/json", answer.body, {}};
    case Status::malformed: return problem_reply(400, "Not an acceptable message", answer.detail);
    case Status::unsigned_message: return problem_reply(400, "The message is not signed", answer.detail);
    case Status::bad_signature: return problem_reply(403, "The signature does not verify", answer.detail);
    case Status::unknown: return problem_reply(404, kTitle, answer.detail);
    case Status::too_late: return problem_reply(409, kTitle, answer.detail);
    case Status::busy: break;
  }
  HttpReply reply = problem_reply(503, "Too many verified runs", answer.detail);
  reply.headers.emplace_back("Retry-After", "10");
  return reply;
}

json figure_json(const FigureTrust& figure) {
  return {{"device", figure.device},
          {"figure", figure.figure},
          {"value", figure.value},
          {"label", to_name(figure.label)},
          {"suspect", figure.is_suspect},
          {"floor_tflop_per_s", figure.floor ? json(*figure.floor) : json()},
          {"ratio", figure.ratio ? json(*figure.ratio) : json()}};
}

json attestation_json(const FloorProof& proof) {
  const std::optional<AttestationOutcome>& said = proof.outcome.attestation;
  if (!said) return {};
  return {{"state", to_name(said->state)},
          {"reason", said->reason},
          {"chip", said->chip},
          {"evidence_sha256", proof.evidence_sha256}};
}

json proof_json(const FloorProof& proof) {
  constexpr double kNsPerS = 1e9;
  return {{"device", proof.outcome.device},
          {"dtype", to_name(proof.outcome.dtype)},
          {"state", to_name(proof.outcome.state)},
          {"reason", proof.outcome.reason},
          {"steps", proof.steps},
          {"draws", proof.draws},
          {"interval_s", static_cast<double>(proof.interval_ns) / kNsPerS},
          {"floor_tflop_per_s", proof.outcome.floor_tflop_per_s ? json(*proof.outcome.floor_tflop_per_s) : json()},
          {"speed_confirmed", proof.speed_confirmed},
          {"attestation", attestation_json(proof)}};
}

}  // namespace

std::string_view FloorRoutes::pattern_of(std::string_view path) {
  if (path == kAsk) return kAsk;
  if (!id_between(path, kChallenge, kCommitment).empty()) return kCommitmentPattern;
  if (!id_between(path, kChallenge, kOpenings).empty()) return kOpeningsPattern;
  if (!id_between(path, kChallenge, kAttestations).empty()) return kAttestationsPattern;
  if (!id_between(path, kChallenge, "").empty()) return kOutcomesPattern;
  if (!id_between(path, kRuns, kTrust).empty()) return kTrustPattern;
  return {};
}

std::string_view FloorRoutes::method_of(std::string_view path) {
  const std::string_view pattern = pattern_of(path);
  return pattern == kOutcomesPattern || pattern == kTrustPattern ? "GET" : "POST";
}

HttpReply FloorRoutes::answer(const HttpRequest& request) {
  const std::string_view path = request.path, pattern = pattern_of(path);
  const FloorMessage message{path, request.body, header_of(request, "gpuassay-key"),
                             header_of(request, "gpuassay-signature")};
  if (pattern == kAsk) return floor_reply(challenges_.ask(message));
  if (pattern == kCommitmentPattern)
    return floor_reply(challenges_.commit(id_between(path, kChallenge, kCommitment), message));
  if (pattern == kAttestationsPattern)
    return floor_reply(challenges_.attest(id_between(path, kChallenge, kAttestations), message));
  if (pattern == kOpeningsPattern)
    return floor_reply(challenges_.open(id_between(path, kChallenge, kOpenings), message));
  if (pattern == kOutcomesPattern) return floor_reply(challenges_.outcomes(id_between(path, kChallenge, "")));
  return trust(id_between(path, kRuns, kTrust));
}

HttpReply FloorRoutes::trust(std::string_view run_id) const {
  const auto body = runs_.body(run_id);
  const auto columns = runs_.columns(run_id);
  if (!body || !columns) return problem_reply(404, "Not found", "No run is stored under this run_id.");
  const Result result = with_own_figures(parse_result(*body));
  const std::vector<FloorProof> proofs = proofs_.of_run(run_id);
  json document{{"run_id", run_id},
                {"trust", columns->trust},
                {"figures", json::array()},
                {"proofs", json::array()},
                {"flags", json::array()}};
  for (const FigureTrust& figure : trust_of_figures(result, proofs)) document["figures"].push_back(figure_json(figure));
  for (const FloorProof& proof : proofs) document["proofs"].push_back(proof_json(proof));
  for (const RunFlag& flag : pool_.flags_of(run_id))
    document["flags"].push_back({{"code", flag.code}, {"detail", flag.detail}});
  return {200, "application/json", document.dump(-1, ' ', false, json::error_handler_t::replace), {}};
}

}  // namespace gpuassay
