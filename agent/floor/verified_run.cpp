#include "agent/floor/verified_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "agent/dynlib/in_child.h"
#include "agent/server_answer.h"
#include "core/error.h"
#include "core/floor/attestation.h"

namespace gpuassay {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kStartLimit{60'000};  ///< for opening libraries, making their code, and measuring
constexpr milliseconds kOpenLimit{60'000};   ///< for computing drawn steps again
/// The collector may have others to check: a second each.
constexpr milliseconds kCheckLimit{30'000}, kAskAgain{250};
/// For what devices say of themselves: of one, and of all. The challenge lives for three minutes.
constexpr milliseconds kAttestationLimit{10'000}, kAllAttestationsLimit{40'000};

/// One verified run with one collector.
class Exchange {
 public:
  Exchange(const CollectorAccess& access, const UploadWorld& world) : access_(access), world_(world) {}

  VerifiedRun run(const std::string& run_id, const std::vector<FloorMember>& members) const {
    VerifiedRun verified;
    FloorTeam team(members);
    const FloorRequest request{run_id, team.get_ready(kStartLimit)};
    const FloorChallenge challenge = floor_challenge_from(post("/v1/challenges", to_text(request)));
    const std::string place = "/v1/challenges/" + challenge.id;
    const FloorCommitment commitment = team.work(challenge);
    const std::string committed = to_text(commitment);
    const auto draws = floor_draws_from(post(place + "/commitment", committed));
    if (challenge.takes_attestations.value_or(false)) verified.notes = attest(challenge, committed, members);
    const FloorOpenings openings = team.open(draws, kOpenLimit);
    FloorReport report = floor_report_from(post(place + "/openings", to_text(openings)));
    const milliseconds asked = world_.now();
    while (is_checking(report) && world_.now() - asked < kCheckLimit) {
      world_.sleep(kAskAgain);
      report = floor_report_from(answer_of(signed_call(access_, "GET", place, floor_signing_message(place, ""))));
    }
    verified.report = std::move(report);
    return verified;
  }

 private:
  /// Sends what devices say of themselves; whatever fails costs that alone. Returns what did.
  [[nodiscard]] std::vector<std::string> attest(const FloorChallenge& challenge, const std::string& committed,
                                                const std::vector<FloorMember>& members) const {
    const TryLimit limit{kAttestationLimit, std::chrono::steady_clock::now() + kAllAttestationsLimit};
    std::vector<FloorAttestation> attestations;
    std::vector<std::string> notes;
    attestations.reserve(members.size());
    notes.reserve(members.size() + 1);
    for (const FloorMember& member : members) {
      if (!member.attestable) continue;
      const int device = member.attestable->device;
      const Digest nonce = attestation_nonce(challenge.id, challenge.seed, access_.key.public_key(), committed, device);
      DeviceAttestation asked = attestation_of(*member.attestable, nonce, limit.now());
      if (asked.said) attestations.push_back(*std::move(asked.said));
      if (!asked.problem.empty())
        notes.push_back(fmt::format("device {}: no attestation: {}", device, shown(asked.problem)));
    }
    if (attestations.empty()) return notes;
    const ShortAnswer sent =
        ask_shortly(post_call("/v1/challenges/" + challenge.id + "/attestations", to_text(attestations)), world_);
    if (!sent.answer || !is_success(sent.answer->status))
      notes.push_back("the attestation did not arrive: " + (sent.answer ? refusal_text(*sent.answer) : sent.problem));
    return notes;
  }

  static bool is_success(int status) {
    constexpr int kSuccess = 200, kBeyondSuccess = 300;
    return status >= kSuccess && status < kBeyondSuccess;
  }

  static bool is_checking(const FloorReport& report) {
    return std::any_of(report.outcomes.begin(), report.outcomes.end(),
                       [](const FloorOutcome& outcome) { return outcome.state == FloorState::checking; });
  }

  [[nodiscard]] std::string post(const std::string& path, const std::string& body) const {
    return answer_of(post_call(path, body));
  }

  [[nodiscard]] HttpCall post_call(const std::string& path, const std::string& body) const {
    HttpCall call = signed_call(access_, "POST", path, floor_signing_message(path, body));
    call.headers.emplace_back("Content-Type", "application/json");
    call.body = body;
    return call;
  }

  [[nodiscard]] std::string answer_of(const HttpCall& call) const {
    constexpr int kNotFound = 404;
    const ShortAnswer asked = ask_shortly(call, world_);
    if (!asked.answer) throw Error(ErrorCode::network, asked.problem);
    const int status = asked.answer->status;
    if (status == kNotFound) throw Error(ErrorCode::refused, "the collector has no verified runs, or not this run");
    if (!is_success(status)) throw Error(ErrorCode::refused, refusal_text(*asked.answer));
    return asked.answer->body;
  }

  const CollectorAccess& access_;
  const UploadWorld& world_;
};

}  // namespace

VerifiedRun do_verified_run(const std::string& run_id, const std::vector<FloorMember>& members,
                            const CollectorAccess& access, const UploadWorld& world) {
  try {
    return Exchange(access, world).run(run_id, members);
  } catch (const std::exception& error) {
    return {{}, shown(error.what())};
  }
}

}  // namespace gpuassay
