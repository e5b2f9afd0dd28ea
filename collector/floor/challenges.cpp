#include "collector/floor/challenges.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "collector/floor/attestations.h"
#include "collector/floor/trust.h"
#include "core/error.h"
#include "core/floor/check.h"
#include "core/floor/claims.h"
#include "core/normalize.h"
#include "core/result_json.h"
#include "core/signature.h"

namespace gpuassay {
namespace {

using Status = FloorAnswer::Status;

FloorAnswer refused(Status status, std::string detail) { return {status, {}, std::move(detail)}; }

/// Empty when the message was signed by the key that came with it, for this address.
std::optional<FloorAnswer> signature_problem(const FloorMessage& message) {
  const auto key = public_key_from_base64(message.key_base64.value_or(""));
  const auto signature = signature_from_base64(message.signature_base64.value_or(""));
  if (!key || !signature)
    return refused(Status::unsigned_message,
                   "the headers Gpuassay-Key and Gpuassay-Signature must hold an Ed25519 key and signature in base64");
  if (!verify_signature(*key, floor_signing_message(message.path, message.body), *signature))
    return refused(Status::bad_signature, "the signature is not of this message by this key");
  return std::nullopt;
}

std::int64_t largest_depth(const std::vector<FloorWork>& of_devices) {
  std::int64_t k = 0;
  for (const FloorWork& work : of_devices) k = std::max(k, work.shape.k);
  return k;
}

/// Every device claims a figure in the dtype that it wants to work in, and all of them can be checked.
std::optional<std::string> request_problem(const FloorRequest& request, const Result& result) {
  if (!can_be_checked(request.work.size(), largest_depth(request.work)))
    return "so many devices with steps of this depth take too long to check; use a smaller k";
  const std::vector<FloorClaim> claims = floor_claims(result);
  for (const FloorWork& work : request.work) {
    const bool claimed = std::any_of(claims.begin(), claims.end(), [&](const FloorClaim& claim) {
      return claim.device == work.device && claim.dtype == work.dtype;
    });
    if (!claimed) return fmt::format("the run has no GEMM figure in {} of device {}", to_name(work.dtype), work.device);
  }
  return std::nullopt;
}

FloorSeed new_seed() {
  FloorSeed seed{};
  const std::string bytes = random_bytes(seed.size());
  std::copy(bytes.begin(), bytes.end(), seed.begin());
  return seed;
}

/// Uniform but for 2^-20: counts are far below 2^44.
std::uint64_t random_below(std::uint64_t count) {
  std::uint64_t number = 0;
  const std::string bytes = random_bytes(sizeof number);
  std::memcpy(&number, bytes.data(), sizeof number);
  return number % count;
}

const FloorWork& work_of(const OpenChallenge& challenge, int device) {
  return *std::find_if(challenge.work.begin(), challenge.work.end(),
                       [&](const FloorWork& work) { return work.device == device; });
}

const FloorCommitment::OfDevice& committed_by(const OpenChallenge& challenge, int device) {
  return *std::find_if(challenge.commitment.devices.begin(), challenge.commitment.devices.end(),
                       [&](const FloorCommitment::OfDevice& committed) { return committed.device == device; });
}

std::size_t draws_of_each(const OpenChallenge& challenge) {
  return draws_of_device(challenge.work.size(), largest_depth(challenge.work));
}

/// Drawn anew for every commitment: whoever could work them out beforehand would do nothing else.
std::vector<FloorDraw> draw(const OpenChallenge& challenge, const FloorCommitment& commitment) {
  const std::size_t draws = draws_of_each(challenge);
  std::vector<FloorDraw> drawn;
  drawn.reserve(draws * commitment.devices.size());
  for (const FloorCommitment::OfDevice& device : commitment.devices) {
    const auto tiles = static_cast<std::uint64_t>(floor_tiles(work_of(challenge, device.device).shape));
    for (std::size_t i = 0; i < draws; ++i)
      drawn.push_back({device.device, static_cast<std::uint32_t>(random_below(device.steps)),
                       static_cast<std::int64_t>(random_below(tiles))});
  }
  return drawn;
}

std::optional<std::string> commitment_problem(const OpenChallenge& challenge, const FloorCommitment& commitment) {
  constexpr std::uint32_t kMostSteps = 1'000'000;
  if (commitment.devices.size() != challenge.work.size())
    return "the commitment is not of the devices of the challenge";
  for (const FloorCommitment::OfDevice& device : commitment.devices) {
    const bool was_asked = std::any_of(challenge.work.begin(), challenge.work.end(),
                                       [&](const FloorWork& work) { return work.device == device.device; });
    if (!was_asked) return "the commitment is not of the devices of the challenge";
    if (device.steps == 0 || device.steps > kMostSteps)
      return fmt::format("a device must commit itself to 1 to {} steps", kMostSteps);
  }
  return std::nullopt;
}

/// One for each device of the challenge.
std::vector<FloorProof> proofs_of(const OpenChallenge& challenge, FloorState state) {
  std::vector<FloorProof> proofs;
  proofs.reserve(challenge.work.size());
  for (const FloorWork& work : challenge.work) {
    FloorProof proof;
    proof.outcome.device = work.device;
    proof.outcome.dtype = work.dtype;
    proof.outcome.state = state;
    proof.steps = committed_by(challenge, work.device).steps;
    proof.draws = draws_of_each(challenge);
    proof.interval_ns = challenge.interval_ns;
    proofs.push_back(std::move(proof));
  }
  return proofs;
}

std::string report_text(std::string trust, const std::vector<FloorProof>& proofs) {
  FloorReport report{std::move(trust), {}};
  report.outcomes.reserve(proofs.size());
  for (const FloorProof& proof : proofs) report.outcomes.push_back(proof.outcome);
  return to_text(report);
}

/// Why one of this device's openings shows nothing; empty: all show what they should.
std::optional<std::string> device_problem(const OpenChallenge& challenge, const FloorOpenings& openings, int device) {
  const FloorWork& work = work_of(challenge, device);
  const FloorCommitment::OfDevice& committed = committed_by(challenge, device);
  for (std::size_t at = 0; at < openings.size(); ++at) {
    const FloorDraw& drawn = challenge.draws[at];
    if (drawn.device != device) continue;
    if (auto problem = opening_problem(challenge.seed, work.shape, committed, drawn, openings[at]))
      return fmt::format("step {}, tile {}: {}", drawn.step, drawn.tile, *problem);
  }
  return std::nullopt;
}

}  // namespace

Result with_own_figures(Result result) {
  result.measurements = normalize_all(std::move(result.measurements), result.devices);
  result.summary = summarize(result.devices, result.measurements);
  return result;
}

Challenges::Challenges(RunStore& runs, FloorProofs& proofs, World world, AttestationRoots roots)
    : runs_(runs), proofs_(proofs), world_(std::move(world)), roots_(std::move(roots)), queue_(world_.log) {}

FloorAnswer Challenges::ask(const FloorMessage& message) {
  auto challenge = std::make_shared<OpenChallenge>();
  FloorRequest request;
  try {
    request = floor_request_from(message.body);
  } catch (const Error& error) {
    return refused(Status::malformed, error.what());
  }
  if (auto problem = signature_problem(message)) return *std::move(problem);
  const auto run = runs_.columns(request.run_id);
  if (!run || run->agent_key != *message.key_base64)
    return refused(Status::unknown, "no run of this key is stored under this run_id; send it first");
  if (world_.now_ms() - run->received_at_ms > kFreshMs)
    return refused(Status::too_late, "the run was sent too long ago; measure again to have it verified");
  if (!proofs_.of_run(request.run_id).empty())
    return refused(Status::too_late, "something was committed for this run before; measure again to have it verified");
  const auto body = runs_.body(request.run_id);
  if (!body) return refused(Status::unknown, "the run was taken back");
  if (auto problem = request_problem(request, with_own_figures(parse_result(*body))))
    return refused(Status::malformed, *std::move(problem));
  challenge->run_id = request.run_id;
  challenge->key_base64 = *message.key_base64;
  challenge->work = std::move(request.work);
  challenge->seed = new_seed();
  challenge->issued_ns = world_.steady_ns();
  const std::string id = book_.add(challenge, challenge->issued_ns);
  if (id.empty()) return refused(Status::busy, "too many verified runs at the same time; try again in a minute");
  FloorChallenge given{id, challenge->seed, kWorkS};
  if (!roots_.empty()) given.takes_attestations = true;
  return {Status::done, to_text(given), {}};
}

FloorAnswer Challenges::commit(std::string_view id, const FloorMessage& message) {
  const std::int64_t now_ns = world_.steady_ns();  // first: nothing that follows is the machine's time
  FloorCommitment commitment;
  try {
    commitment = floor_commitment_from(message.body);
  } catch (const Error& error) {
    return refused(Status::malformed, error.what());
  }
  if (auto problem = signature_problem(message)) return *std::move(problem);
  const auto challenge = book_.find(id, now_ns);
  if (!challenge || challenge->key_base64 != *message.key_base64)
    return refused(Status::unknown, "no such challenge of this key is open");
  const std::lock_guard lock(challenge->mutex);
  if (challenge->state != ChallengeState::asked) {
    if (challenge->commitment_text != message.body)
      return refused(Status::too_late, "something else was committed for this challenge before");
    return {Status::done, to_text(challenge->draws), {}};  // the first answer was lost
  }
  if (auto problem = commitment_problem(*challenge, commitment)) return refused(Status::malformed, *std::move(problem));
  challenge->commitment = std::move(commitment);
  challenge->interval_ns = now_ns - challenge->issued_ns;
  if (!proofs_.commit(challenge->run_id, proofs_of(*challenge, FloorState::committed)))
    return refused(Status::too_late, "something was committed for this run before, or it was taken back");
  challenge->commitment_text = message.body;
  challenge->draws = draw(*challenge, challenge->commitment);
  challenge->state = ChallengeState::committed;
  return {Status::done, to_text(challenge->draws), {}};
}

FloorAnswer Challenges::attest(std::string_view id, const FloorMessage& message) {
  std::vector<FloorAttestation> attestations;
  try {
    attestations = floor_attestations_from(message.body);
  } catch (const Error& error) {
    return refused(Status::malformed, error.what());
  }
  if (auto problem = signature_problem(message)) return *std::move(problem);
  if (roots_.empty()) return refused(Status::unknown, "this collector takes no reports of devices");
  const auto challenge = book_.find(id, world_.steady_ns());
  if (!challenge || challenge->key_base64 != *message.key_base64)
    return refused(Status::unknown, "no such challenge of this key is open");
  {
    const std::lock_guard lock(challenge->mutex);
    if (challenge->state == ChallengeState::asked) return refused(Status::malformed, "nothing was committed yet");
    if (auto problem = attestations_problem(*challenge, attestations))
      return refused(Status::malformed, *std::move(problem));
    const std::string sha256 = sha256_hex(message.body);
    const bool is_again = challenge->attestations_sha256 == sha256;  // the first answer was lost
    if (!is_again && (challenge->state != ChallengeState::committed || !challenge->attestations_sha256.empty()))
      return refused(Status::too_late, "the work was opened, or something else was said of these devices before");
    if (!is_again) {  // else a check may be reading them
      challenge->attestations = examine_attestations(roots_, *challenge, attestations, world_.now_ms());
      challenge->attestations_sha256 = sha256;
    }
  }
  return outcomes(id);
}

FloorAnswer Challenges::open(std::string_view id, const FloorMessage& message) {
  FloorOpenings openings;
  try {
    openings = floor_openings_from(message.body);
  } catch (const Error& error) {
    return refused(Status::malformed, error.what());
  }
  if (auto problem = signature_problem(message)) return *std::move(problem);
  const auto challenge = book_.find(id, world_.steady_ns());
  if (!challenge || challenge->key_base64 != *message.key_base64)
    return refused(Status::unknown, "no such challenge of this key is open");
  {
    const std::lock_guard lock(challenge->mutex);
    if (challenge->state == ChallengeState::asked) return refused(Status::malformed, "nothing was committed yet");
    if (challenge->state == ChallengeState::committed) {
      if (openings.size() != challenge->draws.size())
        return refused(Status::malformed, fmt::format("{} tiles were drawn", challenge->draws.size()));
      if (!queue_.add([this, challenge, openings = std::move(openings)] { check_or_reopen(*challenge, openings); }))
        return refused(Status::busy, "too many verified runs are waiting to be checked; try again in a minute");
      challenge->state = ChallengeState::opened;
    }
  }
  FloorAnswer answer = outcomes(id);
  if (answer.status == Status::done) answer.status = Status::queued;
  return answer;
}

FloorAnswer Challenges::outcomes(std::string_view id) {
  const auto challenge = book_.find(id, world_.steady_ns());
  if (!challenge) return refused(Status::unknown, "no such challenge is open");
  std::vector<FloorProof> proofs = proofs_.of_run(challenge->run_id);
  const auto run = runs_.columns(challenge->run_id);
  if (!run || proofs.empty())
    return refused(Status::unknown, "nothing was committed for the run, or it was taken back");
  const std::lock_guard lock(challenge->mutex);
  for (FloorProof& proof : proofs) {
    if (challenge->state == ChallengeState::opened && proof.outcome.state == FloorState::committed)
      proof.outcome.state = FloorState::checking;
  }
  return {Status::done, report_text(run->trust, proofs), {}};
}

/// What the store could not take is not lost: the openings may come again.
void Challenges::check_or_reopen(OpenChallenge& challenge, const FloorOpenings& openings) {
  try {
    check(challenge, openings);
  } catch (...) {
    const std::lock_guard lock(challenge.mutex);
    challenge.state = ChallengeState::committed;
    throw;  // the queue says why in the log
  }
}

/// Called once all of the challenge that is read here is final.
void Challenges::check(const OpenChallenge& challenge, const FloorOpenings& openings) {
  std::vector<FloorProof> proofs = proofs_of(challenge, FloorState::right);
  for (FloorProof& proof : proofs) {
    FloorOutcome& outcome = proof.outcome;
    if (auto problem = device_problem(challenge, openings, outcome.device)) {
      outcome.state = FloorState::wrong;
      outcome.reason = *std::move(problem);
    } else {
      outcome.floor_tflop_per_s =
          floor_tflop_per_s(work_of(challenge, outcome.device).shape, proof.steps, proof.interval_ns, proof.draws);
    }
  }
  const auto body = runs_.body(challenge.run_id);
  if (!body) return;  // taken back meanwhile
  const Result result = with_own_figures(parse_result(*body));
  judge_attestations(challenge.attestations, result, proofs);
  for (FloorProof& proof : proofs) proof.speed_confirmed = is_speed_confirmed(result, proof);
  const Trust trust = trust_of_run(result, proofs);
  proofs_.decide(challenge.run_id, proofs, to_name(trust));
  for (const FloorProof& proof : proofs)
    if (proof.outcome.attestation) world_.note_attestation(proof.outcome.attestation->state);
  world_.note_change();
}

}  // namespace gpuassay
