#include "collector/floor/trust.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/floor/claims.h"
#include "core/headlines.h"

namespace gpuassay {
namespace {

/// The proof of this device, if its work was right.
const FloorProof* right_proof(const std::vector<FloorProof>& proofs, int device) {
  const auto found = std::find_if(proofs.begin(), proofs.end(), [&](const FloorProof& proof) {
    return proof.outcome.device == device && proof.outcome.state == FloorState::right &&
           proof.outcome.floor_tflop_per_s.has_value();
  });
  return found == proofs.end() ? nullptr : &*found;
}

void judge(FigureTrust& figure, const FloorProof& proof, const std::optional<double>& threshold) {
  figure.floor = proof.outcome.floor_tflop_per_s;
  figure.ratio = *figure.floor / figure.value;
  figure.is_speed_confirmed = threshold && *figure.ratio >= *threshold;
  const bool is_too_slow = threshold && !figure.is_speed_confirmed;
  const std::optional<AttestationOutcome>& said = proof.outcome.attestation;
  if (said && said->state == AttestationState::verified && !is_too_slow) {
    figure.label = Trust::attested;
  } else {
    figure.label = figure.is_speed_confirmed ? Trust::floor_verified : Trust::recomputed;
  }
  figure.is_suspect = threshold && *figure.ratio < kSuspectRatio;
}

constexpr std::string_view kGemm = "gemm_tflop_per_s";

}  // namespace

const Device* device_of(const Result& result, int index) {
  const auto found = std::find_if(result.devices.begin(), result.devices.end(),
                                  [&](const Device& device) { return device.index == index; });
  return found == result.devices.end() ? nullptr : &*found;
}

std::optional<double> floor_threshold(const Device& device) {
  // Of honest runs on a CPU the floor was 0.75 to 0.80 of the figure (docs/measured/verified_run.md).
  constexpr double kOfCpus = 0.7;
  return device.kind == DeviceKind::cpu ? std::optional(kOfCpus) : std::nullopt;
}

std::vector<FigureTrust> trust_of_figures(const Result& result, const std::vector<FloorProof>& proofs) {
  std::vector<FigureTrust> figures;
  for (const DeviceSummary& summary : result.summary.devices) {
    const Device* const device = summary.device ? device_of(result, *summary.device) : nullptr;
    if (device == nullptr) continue;
    const FloorProof* const proof = right_proof(proofs, device->index);
    for (const HeadlineKind& kind : headline_kinds()) {
      for (const auto& [key, values] : summary.*kind.figures) {
        for (const auto& [regime, value] :
             {std::pair("burst", values.burst), std::pair("sustained", values.sustained)}) {
          if (!value) continue;
          FigureTrust figure;
          figure.device = device->index;
          figure.figure = fmt::format("{}.{}.{}", kind.name, key, regime);
          figure.value = *value;
          if (proof != nullptr && kind.name == kGemm && key == to_name(proof->outcome.dtype) && *value > 0)
            judge(figure, *proof, floor_threshold(*device));
          figures.push_back(std::move(figure));
        }
      }
    }
  }
  return figures;
}

bool is_speed_confirmed(const Result& result, const FloorProof& proof) {
  const std::vector<FigureTrust> figures = trust_of_figures(result, {proof});
  const auto is_judged = [](const FigureTrust& figure) { return figure.ratio.has_value(); };
  return std::any_of(figures.begin(), figures.end(), is_judged) &&
         std::all_of(figures.begin(), figures.end(),
                     [&](const FigureTrust& figure) { return !is_judged(figure) || figure.is_speed_confirmed; });
}

Trust trust_of_run(const Result& result, const std::vector<FloorProof>& proofs) {
  const std::vector<FigureTrust> figures = trust_of_figures(result, proofs);
  std::optional<Trust> least;
  bool all_confirmed = true;
  for (const Device& device : result.devices) {
    const auto dtype = dtype_to_verify(result, device.index);
    if (!dtype) return Trust::self_reported;  // nothing of it can be verified, and the run's score may be made of it
    for (const Regime regime : {Regime::burst, Regime::sustained}) {
      const std::string name = fmt::format("{}.{}.{}", kGemm, to_name(*dtype), to_name(regime));
      for (const FigureTrust& figure : figures) {
        if (figure.device != device.index || figure.figure != name) continue;
        least = std::min(least.value_or(figure.label), figure.label);
        all_confirmed = all_confirmed && figure.is_speed_confirmed;
      }
    }
  }
  if (least == Trust::floor_verified && !all_confirmed) return Trust::recomputed;
  return least.value_or(Trust::self_reported);
}

}  // namespace gpuassay
