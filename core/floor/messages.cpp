#include "core/floor/messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "core/json_fields.h"
#include "core/json_guard.h"
#include "core/signature.h"

namespace gpuassay {

/// Digests, and seeds, which are as long.
template <>
struct TextForm<Digest> {
  static std::string to_text(const Digest& bytes) {
    return base64({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  static std::optional<Digest> from_text(std::string_view text) { return public_key_from_base64(text); }
};

template <>
struct Fields<FloorWork> {
  static void visit(auto& ar, auto& v) {
    ar("device", v.device), ar("dtype", v.dtype), ar("m", v.shape.m), ar("n", v.shape.n), ar("k", v.shape.k);
    ar("largest", v.shape.largest);
  }
};
template <>
struct Fields<FloorRequest> {
  static void visit(auto& ar, auto& v) { ar("run_id", v.run_id), ar("work", v.work); }
};
template <>
struct Fields<FloorChallenge> {
  static void visit(auto& ar, auto& v) {
    ar("id", v.id), ar("seed", v.seed), ar("seconds", v.seconds);
    ar.omitted_when_empty("takes_attestations", v.takes_attestations);
  }
};
template <>
struct Fields<FloorCommitment::OfDevice> {
  static void visit(auto& ar, auto& v) { ar("device", v.device), ar("steps", v.steps), ar("root", v.root); }
};
template <>
struct Fields<FloorDraw> {
  static void visit(auto& ar, auto& v) { ar("device", v.device), ar("step", v.step), ar("tile", v.tile); }
};
template <>
struct Fields<FloorOpening> {
  static void visit(auto& ar, auto& v) {
    ar("before", v.before), ar("after", v.after), ar("before_path", v.before_path), ar("after_path", v.after_path);
    ar("tile_path", v.tile_path);
  }
};
namespace {
/// A FloorAttestation on its way.
struct AttestationText {
  int device = 0;
  std::string report, certificates;  ///< base64
};
}  // namespace
template <>
struct Fields<AttestationText> {
  static void visit(auto& ar, auto& v) {
    ar("device", v.device), ar("report", v.report), ar("certificates", v.certificates);
  }
};
template <>
struct Fields<AttestationOutcome> {
  static void visit(auto& ar, auto& v) { ar("state", v.state), ar("reason", v.reason), ar("chip", v.chip); }
};
template <>
struct Fields<FloorOutcome> {
  static void visit(auto& ar, auto& v) {
    ar("device", v.device), ar("dtype", v.dtype), ar("state", v.state), ar("reason", v.reason);
    ar("floor_tflop_per_s", v.floor_tflop_per_s);
    ar.omitted_when_empty("attestation", v.attestation);
  }
};

template <>
struct Fields<FloorReport> {
  static void visit(auto& ar, auto& v) { ar("trust", v.trust), ar("outcomes", v.outcomes); }
};

namespace {

/// An upload's limits, which the openings of many devices come near to.
constexpr JsonLimits kFloorLimits = [] {
  JsonLimits limits;
  limits.max_bytes = std::size_t{1} << 20U;
  return limits;
}();

/// Reports and certificates are strings of kilobytes.
constexpr JsonLimits kAttestationLimits = [] {
  JsonLimits limits = kFloorLimits;
  limits.max_string_bytes = std::size_t{24} << 10U;
  return limits;
}();

[[noreturn]] void refuse(std::string_view what) {
  throw Error(ErrorCode::unreadable_input, fmt::format("not a message of a verified run: {}", what));
}

/// A list that is the whole message: {"name": [...]}.
template <class T>
std::string list_text(const char* name, const std::vector<T>& list) {
  return nlohmann::json{{name, write_value(list)}}.dump();
}

nlohmann::json parse(std::string_view text) { return parse_untrusted_json(text, kFloorLimits); }

template <class T>
T read_whole(std::string_view text) {
  T value{};
  read_value(parse(text), "", value);
  return value;
}

template <class T>
std::vector<T> read_list(const char* name, std::string_view text) {
  std::vector<T> list;
  const nlohmann::json document = parse(text);
  FieldReader reader(document, "");
  reader(name, list);
  return list;
}

/// Some devices, each once.
template <class T>
void require_devices(const std::vector<T>& list) {
  std::set<int> devices;
  for (const T& entry : list) {
    if (entry.device < 0) refuse("a device has a negative index");
    if (!devices.insert(entry.device).second) refuse(fmt::format("device {} is there twice", entry.device));
  }
  if (devices.empty() || devices.size() > kMostFloorDevices)
    refuse(fmt::format("it must name 1 to {} devices", kMostFloorDevices));
}

bool is_lower_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

std::string floor_signing_message(std::string_view path, std::string_view body) {
  return fmt::format("gpuassay-floor-v1\n{}\n{}", path, sha256_hex(body));
}

std::string to_text(const FloorRequest& request) { return write_value(request).dump(); }
std::string to_text(const FloorChallenge& challenge) { return write_value(challenge).dump(); }
std::string to_text(const FloorCommitment& commitment) { return list_text("devices", commitment.devices); }
std::string to_text(const std::vector<FloorDraw>& draws) { return list_text("draws", draws); }
std::string to_text(const FloorOpenings& openings) { return list_text("openings", openings); }
std::string to_text(const FloorReport& report) { return write_value(report).dump(); }

std::string to_text(const std::vector<FloorAttestation>& attestations) {
  std::vector<AttestationText> list;
  list.reserve(attestations.size());
  for (const FloorAttestation& entry : attestations)
    list.push_back({entry.device, base64(entry.report), base64(entry.certificates)});
  return list_text("attestations", list);
}

FloorRequest floor_request_from(std::string_view text) {
  auto request = read_whole<FloorRequest>(text);
  require_devices(request.work);
  for (const FloorWork& work : request.work) {
    if (const auto problem = shape_problem(work.shape)) refuse(*problem);
    if (!is_exact(work.dtype)) refuse(fmt::format("{} does not add exactly", to_name(work.dtype)));
  }
  return request;
}

FloorChallenge floor_challenge_from(std::string_view text) {
  auto challenge = read_whole<FloorChallenge>(text);
  constexpr std::size_t kIdDigits = 32;
  constexpr double kLongestS = 60;
  if (challenge.id.size() != kIdDigits || !is_lower_hex(challenge.id)) refuse("the challenge has no readable id");
  if (challenge.seconds <= 0 || challenge.seconds > kLongestS)
    refuse(fmt::format("the work must take up to {} s", kLongestS));
  return challenge;
}

FloorCommitment floor_commitment_from(std::string_view text) {
  FloorCommitment commitment{read_list<FloorCommitment::OfDevice>("devices", text)};
  require_devices(commitment.devices);
  return commitment;
}

std::vector<FloorDraw> floor_draws_from(std::string_view text) {
  auto draws = read_list<FloorDraw>("draws", text);
  constexpr std::size_t kMost = 4096;
  if (draws.empty() || draws.size() > kMost) refuse(fmt::format("it must draw 1 to {} tiles", kMost));
  for (const FloorDraw& draw : draws)
    if (draw.device < 0 || draw.tile < 0) refuse("a draw is negative");
  return draws;
}

FloorOpenings floor_openings_from(std::string_view text) { return read_list<FloorOpening>("openings", text); }

std::vector<FloorAttestation> floor_attestations_from(std::string_view text) {
  std::vector<AttestationText> list;
  const nlohmann::json document = parse_untrusted_json(text, kAttestationLimits);
  FieldReader reader(document, "");
  reader("attestations", list);
  require_devices(list);
  std::vector<FloorAttestation> attestations;
  attestations.reserve(list.size());
  for (const AttestationText& entry : list) {
    auto report = from_base64(entry.report), certificates = from_base64(entry.certificates);
    if (!report || !certificates) refuse("a report or its certificates are not base64");
    attestations.push_back({entry.device, *std::move(report), *std::move(certificates)});
  }
  return attestations;
}

FloorReport floor_report_from(std::string_view text) {
  auto report = read_whole<FloorReport>(text);
  require_devices(report.outcomes);
  return report;
}

}  // namespace gpuassay
