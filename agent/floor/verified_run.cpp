#include "agent/floor/verified_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "agent/server_answer.h"
#include "core/error.h"

namespace gpuassay {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kStartLimit{60'000};  ///< for opening libraries, making their code, and measuring
constexpr milliseconds kOpenLimit{60'000};   ///< for computing drawn steps again
/// The collector may have others to check: a second each.
constexpr milliseconds kCheckLimit{30'000}, kAskAgain{250};

/// One verified run with one collector.
class Exchange {
 public:
  Exchange(const CollectorAccess& access, const UploadWorld& world) : access_(access), world_(world) {}

  FloorReport run(const std::string& run_id, const std::vector<FloorMember>& members) const {
    FloorTeam team(members);
    const FloorRequest request{run_id, team.get_ready(kStartLimit)};
    const FloorChallenge challenge = floor_challenge_from(post("/v1/challenges", to_text(request)));
    const std::string place = "/v1/challenges/" + challenge.id;
    const FloorCommitment commitment = team.work(challenge);
    const auto draws = floor_draws_from(post(place + "/commitment", to_text(commitment)));
    const FloorOpenings openings = team.open(draws, kOpenLimit);
    FloorReport report = floor_report_from(post(place + "/openings", to_text(openings)));
    const milliseconds asked = world_.now();
    while (is_checking(report) && world_.now() - asked < kCheckLimit) {
      world_.sleep(kAskAgain);
      report = floor_report_from(answer_of(signed_call(access_, "GET", place, floor_signing_message(place, ""))));
    }
    return report;
  }

 private:
  static bool is_checking(const FloorReport& report) {
    return std::any_of(report.outcomes.begin(), report.outcomes.end(),
                       [](const FloorOutcome& outcome) { return outcome.state == FloorState::checking; });
  }

  [[nodiscard]] std::string post(const std::string& path, const std::string& body) const {
    HttpCall call = signed_call(access_, "POST", path, floor_signing_message(path, body));
    call.headers.emplace_back("Content-Type", "application/json");
    call.body = body;
    return answer_of(call);
  }

  [[nodiscard]] std::string answer_of(const HttpCall& call) const {
    constexpr int kSuccess = 200, kNotFound = 404, kBeyondSuccess = 300;
    const ShortAnswer asked = ask_shortly(call, world_);
    if (!asked.answer) throw Error(ErrorCode::network, asked.problem);
    const int status = asked.answer->status;
    if (status == kNotFound) throw Error(ErrorCode::refused, "the collector has no verified runs, or not this run");
    if (status < kSuccess || status >= kBeyondSuccess) throw Error(ErrorCode::refused, refusal_text(*asked.answer));
    return asked.answer->body;
  }

  const CollectorAccess& access_;
  const UploadWorld& world_;
};

}  // namespace

VerifiedRun do_verified_run(const std::string& run_id, const std::vector<FloorMember>& members,
                            const CollectorAccess& access, const UploadWorld& world) {
  try {
    return {Exchange(access, world).run(run_id, members), {}};
  } catch (const std::exception& error) {
    return {{}, shown(error.what())};
  }
}

}  // namespace gpuassay
