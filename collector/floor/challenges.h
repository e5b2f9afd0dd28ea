// Challenges a machine to do work now, checks a random part of it, and times it by the collector's clock: the
// collector's side of docs/VERIFIED_RUN.md. No HTTP in here.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "collector/attestation/certificates.h"
#include "collector/floor/challenge_book.h"
#include "collector/floor/check_queue.h"
#include "collector/floor/proof.h"
#include "collector/store.h"
#include "core/model.h"

namespace gpuassay {

/// A message of the protocol and who says to have signed it.
struct FloorMessage {
  std::string_view path, body;
  std::optional<std::string> key_base64, signature_base64;
};

struct FloorAnswer {
  enum class Status {
    done,       ///< `body` is the answer
    queued,     ///< the same, and the check comes later
    malformed,  ///< not a message of this kind, or with numbers out of range
    unsigned_message,
    bad_signature,
    unknown,   ///< no such run of this key, or no such challenge
    too_late,  ///< the run was received too long ago, or something was committed for it before
    busy,      ///< too many others
  };
  Status status = Status::unknown;
  std::string body;    ///< one of the messages of core/floor/messages.h
  std::string detail;  ///< why not; one line
};

/// The result with every figure and its summary recomputed from the samples, whatever the document says.
Result with_own_figures(Result result);

/// Safe to use from any thread.
class Challenges {
 public:
  /// For so long after a run was received it can be challenged: the machine is still the one that was measured.
  static constexpr std::int64_t kFreshMs = 900'000;
  /// The work takes so long: long enough for the network's share to be small, short enough to be bearable.
  static constexpr double kWorkS = 8;

  struct World {
    std::function<std::int64_t()> now_ms;     ///< wall clock since 1970
    std::function<std::int64_t()> steady_ns;  ///< a clock that is never set
    std::function<void()> note_change;        ///< a label has changed
    std::function<void(std::string_view)> log;
    std::function<void(AttestationState)> note_attestation = [](AttestationState) {};
  };

  /// `runs` and `proofs` must outlive this. Without roots no report of a device is taken.
  Challenges(RunStore& runs, FloorProofs& proofs, World world, AttestationRoots roots = {});

  /// A FloorRequest is answered with a FloorChallenge.
  FloorAnswer ask(const FloorMessage& message);
  /// A FloorCommitment is answered with draws: the same commitment with the same ones.
  FloorAnswer commit(std::string_view id, const FloorMessage& message);
  /// What devices say of themselves, after the commitment and before the openings; once. Answered with a FloorReport.
  FloorAnswer attest(std::string_view id, const FloorMessage& message);
  /// FloorOpenings are answered with a FloorReport, whose outcomes are `checking` until they were looked at.
  FloorAnswer open(std::string_view id, const FloorMessage& message);
  /// Outcomes, as far as they are known. Needs no signature: the id cannot be guessed.
  FloorAnswer outcomes(std::string_view id);

 private:
  void check_or_reopen(OpenChallenge& challenge, const FloorOpenings& openings);
  void check(const OpenChallenge& challenge, const FloorOpenings& openings);

  RunStore& runs_;
  FloorProofs& proofs_;
  World world_;
  AttestationRoots roots_;
  ChallengeBook book_;
  CheckQueue queue_;  // the last member: its thread uses the others
};

}  // namespace gpuassay
