// What do agent and collector say to each other in a verified run? The messages as values, to and from JSON; what
// arrives is hostile until it was read here.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/enums.h"
#include "core/floor/operands.h"
#include "core/floor/shape.h"
#include "core/merkle.h"
#include "core/model.h"

namespace gpuassay {

inline constexpr std::size_t kMostFloorDevices = 64;

/// What one device is to do.
struct FloorWork {
  int device = 0;
  DType dtype = DType::fp32;
  FloorShape shape;
};

/// Agent: this stored run wants to be challenged. All devices work at the same time.
struct FloorRequest {
  std::string run_id;
  std::vector<FloorWork> work;
};

/// Collector: the work may begin; its clock runs.
struct FloorChallenge {
  std::string id;  ///< 32 hexadecimal digits
  FloorSeed seed{};
  double seconds = 0;  ///< after which the agent is to commit itself
  /// The collector trusts a maker of devices, and takes what devices say of themselves. Absent of others: what tells a
  /// machine apart is sent to nobody who has no use for it.
  std::optional<bool> takes_attestations = {};
};

/// Agent: so much was done, and nothing of it can be changed any more.
struct FloorCommitment {
  struct OfDevice {
    int device = 0;
    std::uint32_t steps = 0;
    Digest root{};  ///< merkle_root() over the digests of the steps, each hashed as a leaf
  };
  std::vector<OfDevice> devices;
};

/// Collector: show these tiles, drawn after the commitment.
struct FloorDraw {
  int device = 0;
  std::uint32_t step = 0;
  std::int64_t tile = 0;

  friend bool operator==(const FloorDraw&, const FloorDraw&) = default;
};

/// Agent: what leads from a tile to the commitment. The tile itself is worked out by whoever checks.
struct FloorOpening {
  Digest before{}, after{};  ///< digests of the step before (zeros at the first) and of the step
  std::vector<Digest> before_path, after_path, tile_path;
};

enum class FloorState {
  committed,  ///< the draws were given out
  checking,   ///< the openings are there
  right,      ///< every drawn tile was
  wrong,      ///< one was not, or does not lead to the commitment
};

/// Agent: what a device says of itself, when it was asked with attestation_nonce(): as NVML gives it.
struct FloorAttestation {
  int device = 0;
  std::string report;        ///< bytes
  std::string certificates;  ///< PEM, that of the signing key first
};

enum class AttestationState {
  verified,  ///< the maker of the device confirms which it is
  refused,   ///< what was sent does not show that
};

/// Collector: what came of a FloorAttestation.
struct AttestationOutcome {
  AttestationState state = AttestationState::refused;
  std::string reason;  ///< of refused; one line
  std::string chip;    ///< of verified, as the maker calls it: "GH100"

  friend bool operator==(const AttestationOutcome&, const AttestationOutcome&) = default;
};

/// Collector: what came of one device.
struct FloorOutcome {
  int device = 0;
  DType dtype = DType::fp32;
  FloorState state = FloorState::checking;
  std::string reason;                       ///< of wrong; one line
  std::optional<double> floor_tflop_per_s;  ///< of right: proven work by the collector's clock
  std::optional<AttestationOutcome> attestation = {};
};

/// Collector: what came of all devices, and the label of the run ("floor_verified").
struct FloorReport {
  std::string trust;
  std::vector<FloorOutcome> outcomes;
};

/// FloorOpening of every draw, in its order.
using FloorOpenings = std::vector<FloorOpening>;

template <>
struct EnumNames<FloorState> {
  static constexpr std::array<std::pair<FloorState, std::string_view>, 4> values{{{FloorState::committed, "committed"},
                                                                                  {FloorState::checking, "checking"},
                                                                                  {FloorState::right, "right"},
                                                                                  {FloorState::wrong, "wrong"}}};
};

template <>
struct EnumNames<AttestationState> {
  static constexpr std::array<std::pair<AttestationState, std::string_view>, 2> values{
      {{AttestationState::verified, "verified"}, {AttestationState::refused, "refused"}}};
};

/// What an agent signs for a body that is one of these messages: no message of another kind has its prefix.
std::string floor_signing_message(std::string_view path, std::string_view body);

std::string to_text(const FloorRequest& request);
std::string to_text(const FloorChallenge& challenge);
std::string to_text(const FloorCommitment& commitment);
std::string to_text(const std::vector<FloorDraw>& draws);
std::string to_text(const FloorOpenings& openings);
std::string to_text(const FloorReport& report);
std::string to_text(const std::vector<FloorAttestation>& attestations);

/// Each throws Error{unreadable_input}, one line, for anything but a message of its kind with numbers in range.
FloorRequest floor_request_from(std::string_view text);
FloorChallenge floor_challenge_from(std::string_view text);
FloorCommitment floor_commitment_from(std::string_view text);
std::vector<FloorDraw> floor_draws_from(std::string_view text);
FloorOpenings floor_openings_from(std::string_view text);
FloorReport floor_report_from(std::string_view text);
std::vector<FloorAttestation> floor_attestations_from(std::string_view text);

}  // namespace gpuassay
