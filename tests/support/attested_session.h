// A verified run of a GPU that says which it is: FloorSession with a maker of devices whom the collector trusts.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/floor/attestation.h"
#include "core/normalize.h"
#include "core/score.h"
#include "tests/support/attestation_maker.h"
#include "tests/support/floor_session.h"
#include "tests/support/gpu_result.h"

namespace gpuassay::test {

inline CertifiedKey test_maker() {
  CertificateWish wish;
  wish.name = "TEST ONLY Device Identity CA";
  return make_root(wish);
}

inline AttestationRoots trust_in(const CertifiedKey& root) {
  return AttestationRoots::from_pem(pem_of(*root.certificate), "the test's root");
}

/// example_result() as if a GPU of this compute capability had been measured.
inline Result gpu_example_result(const std::string& capability = "9.0") {
  Result result = example_result();
  result.devices = {simulated_v100_result().devices.at(0)};
  result.devices[0].index = 0;
  result.devices[0].simulated = false;
  result.devices[0].compute_capability = capability;
  result.measurements = normalize_all(std::move(result.measurements), result.devices);
  result.summary = summarize(result.devices, result.measurements);
  result.score = score_run(result.devices, result.measurements);
  return result;
}

/// What was committed for a challenge, until it is shown.
struct AttestedWork {
  FloorChallenge challenge;
  FloorCommitment commitment;
  std::vector<FloorDraw> draws;
  FloorChain chain;

  [[nodiscard]] Digest nonce(const KeyPair& key, int device = 0) const {
    return attestation_nonce(challenge.id, challenge.seed, key.public_key(), to_text(commitment), device);
  }
  [[nodiscard]] std::string id() const { return challenge.id; }
};

class AttestedSession : public FloorSession {
 public:
  explicit AttestedSession(const Result& result = gpu_example_result()) : AttestedSession(test_maker(), result) {}

  /// Asks, works and commits.
  AttestedWork committed(FloorDevice& device, int steps = 4, double share = 0.9) {
    const FloorChallenge challenge = floor_challenge_from(ask().body);
    FloorChain chain(device, work(), challenge.seed);
    int done = 0;
    chain.run([&] { return ++done < steps; });
    pass_s(seconds_for(share, steps));
    const FloorCommitment commitment{{chain.commitment()}};
    auto draws = floor_draws_from(commit(agent, challenge.id, commitment).body);
    return {challenge, commitment, std::move(draws), std::move(chain)};
  }
  FloorReport opened(const AttestedWork& shown) {
    FloorOpenings openings;
    openings.reserve(shown.draws.size());
    for (const FloorDraw& draw : shown.draws) openings.push_back(shown.chain.open(draw));
    open(agent, shown.id(), openings);
    return report(shown.id());
  }
  /// What this GPU says over the nonce, as device 0 of the run.
  static FloorAttestation said(const AttestingDevice& gpu, const Digest& nonce) {
    return {0, gpu.report(nonce), gpu.certificates()};
  }

  CertifiedKey maker;

 private:
  AttestedSession(CertifiedKey root, const Result& result)
      : FloorSession(result, trust_in(root)), maker(std::move(root)) {}
};

}  // namespace gpuassay::test
