// A collector's side of verified runs without a network, one stored run, and an agent that plays its part with any
// device.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "agent/floor/floor_chain.h"
#include "collector/floor/challenges.h"
#include "collector/floor/trust.h"
#include "collector/ingest.h"
#include "core/floor/claims.h"
#include "core/result_json.h"
#include "tests/support/example_result.h"
#include "tests/support/memory_pool.h"
#include "tests/support/reference_floor_device.h"

namespace gpuassay::test {

/// example_result() claims a GEMM figure in fp32 of device 0.
class FloorSession {
 public:
  FloorSession() : FloorSession(example_result(), {}) {}
  /// `result` has example_result()'s run_id; `trusted` certify devices.
  FloorSession(const Result& result, AttestationRoots trusted) : trusted_(std::move(trusted)) { send(result, agent); }

  IngestOutcome send(const Result& result, const KeyPair& key) {
    const std::string body = canonical_json(result);
    return ingest.accept({body, base64(key.public_key()), base64(key.sign(result_signing_message(body)))});
  }

  static FloorMessage signed_message(const KeyPair& key, std::string_view path, std::string_view body) {
    return {path, body, base64(key.public_key()), base64(key.sign(floor_signing_message(path, body)))};
  }

  FloorAnswer ask(const KeyPair& key, const FloorRequest& request) {
    const std::string body = to_text(request);
    return challenges.ask(signed_message(key, "/v1/challenges", body));
  }
  FloorAnswer ask() { return ask(agent, request()); }
  FloorAnswer commit(const KeyPair& key, const std::string& id, const FloorCommitment& commitment) {
    const std::string path = "/v1/challenges/" + id + "/commitment", body = to_text(commitment);
    return challenges.commit(id, signed_message(key, path, body));
  }
  FloorAnswer attest(const KeyPair& key, const std::string& id, const std::vector<FloorAttestation>& attestations) {
    const std::string path = "/v1/challenges/" + id + "/attestations", body = to_text(attestations);
    return challenges.attest(id, signed_message(key, path, body));
  }
  FloorAnswer open(const KeyPair& key, const std::string& id, const FloorOpenings& openings) {
    const std::string path = "/v1/challenges/" + id + "/openings", body = to_text(openings);
    return challenges.open(id, signed_message(key, path, body));
  }

  static FloorWork work() { return {0, DType::fp32, kSmallShape}; }
  static FloorRequest request() { return {example_result().run_id, {work()}}; }

  /// Seconds in which this many steps are `share` of what the run claims: the floor is 0.954 of that.
  static double seconds_for(double share, int steps) {
    double claimed = 0;
    for (const FloorClaim& claim : floor_claims(with_own_figures(example_result())))
      if (claim.dtype == DType::fp32) claimed = std::max(claimed, claim.tflop_per_s);
    constexpr double kTflop = 1e12;
    return steps * floor_flop(kSmallShape) / (share * claimed * kTflop);
  }

  /// Waits until the check is over, which takes milliseconds.
  FloorReport report(const std::string& id) {
    for (;;) {
      FloorReport now = floor_report_from(challenges.outcomes(id).body);
      if (now.outcomes.at(0).state != FloorState::checking) return now;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  /// The whole protocol with this device: `steps` that take `seconds` by the collector's clock.
  FloorReport play(FloorDevice& device, int steps, double seconds) {
    const FloorChallenge challenge = floor_challenge_from(ask().body);
    FloorChain chain(device, work(), challenge.seed);
    int done = 0;
    chain.run([&] { return ++done < steps; });
    pass_s(seconds);
    return show(challenge, chain);
  }

  /// Commits the chain, of whatever it is, to the challenge, and opens what is drawn.
  FloorReport show(const FloorChallenge& challenge, const FloorChain& chain) {
    const auto draws = floor_draws_from(commit(agent, challenge.id, {{chain.commitment()}}).body);
    FloorOpenings openings;
    for (const FloorDraw& draw : draws) openings.push_back(chain.open(draw));
    open(agent, challenge.id, openings);
    return report(challenge.id);
  }

  void pass_s(double seconds) {
    constexpr double kNsPerS = 1e9, kMsPerS = 1e3;
    steady_ns_ += static_cast<std::int64_t>(seconds * kNsPerS);
    now_ms_ += static_cast<std::int64_t>(seconds * kMsPerS);
  }
  [[nodiscard]] std::string trust() const { return store.columns(example_result().run_id)->trust; }

  std::unique_ptr<ConnectionPool> pool = memory_pool();
  RunStore store{*pool};
  KeyPair agent = KeyPair::generate(), other = KeyPair::generate(), collector = KeyPair::generate();
  int changes = 0;
  std::vector<AttestationState> attested;  ///< as they were noted

 private:
  AttestationRoots trusted_;
  std::int64_t now_ms_ = 1'800'000'000'000;
  std::int64_t steady_ns_ = 5;

 public:
  Ingest ingest{store, collector, {}, [this] { return now_ms_; }};
  FloorProofs proofs{*pool};
  Challenges challenges{store,
                        proofs,
                        {[this] { return now_ms_; }, [this] { return steady_ns_; }, [this] { ++changes; },
                         [](std::string_view) {}, [this](AttestationState state) { attested.push_back(state); }},
                        trusted_};
};

}  // namespace gpuassay::test
