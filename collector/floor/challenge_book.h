// Which challenges are open? In memory only: their clocks are this process's, and one that is lost is asked for again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "collector/attestation/verify_report.h"
#include "core/floor/messages.h"

namespace gpuassay {

enum class ChallengeState { asked, committed, opened };

/// What a device said of itself, looked at when it came: the evidence is not kept in memory.
struct ExaminedAttestation {
  int device = 0;
  AttestationVerdict verdict;
  std::string evidence_sha256;  ///< of the report followed by its certificates
};

/// One challenge from its beginning to its end.
struct OpenChallenge {
  std::string id;  ///< as the book gave it
  std::string run_id, key_base64;
  FloorSeed seed{};
  std::vector<FloorWork> work;
  std::int64_t issued_ns = 0;  ///< on a steady clock, when the seed went out

  std::mutex mutex;  ///< guards what follows
  ChallengeState state = ChallengeState::asked;
  std::string commitment_text;  ///< as it was sent
  FloorCommitment commitment;
  std::int64_t interval_ns = 0;
  std::vector<FloorDraw> draws;
  std::string attestations_sha256;  ///< of what was sent; empty: nothing came
  std::vector<ExaminedAttestation> attestations;
};

/// Safe to use from any thread.
class ChallengeBook {
 public:
  /// A challenge lives for so long: the work, the draws and the check of a busy collector take less.
  static constexpr std::int64_t kLifeNs = 180'000'000'000;
  static constexpr std::size_t kMost = 2'000;

  /// Adds it under a new id that nobody can guess; empty when too many are open. A run has one at a time: an earlier
  /// one of the same run that was not committed is forgotten.
  std::string add(std::shared_ptr<OpenChallenge> challenge, std::int64_t now_ns);
  /// Null when there is none.
  [[nodiscard]] std::shared_ptr<OpenChallenge> find(std::string_view id, std::int64_t now_ns);

 private:
  void forget_old(std::int64_t now_ns);
  void forget_uncommitted(std::string_view run_id);

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<OpenChallenge>, std::less<>> open_;
};

}  // namespace gpuassay
