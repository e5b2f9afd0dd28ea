#include "agent/platform/detection.h"

#include <algorithm>

#include "agent/platform/ask.h"
#include "agent/platform/findings_text.h"
#include "agent/platform/layers.h"

namespace gpuassay {
namespace {

using Clock = std::chrono::steady_clock;

MetadataQuestion not_on_the_network() { return {{}, false, "not asked, as the run is offline"}; }

BackgroundAnswer ask_as_text(const MetadataQuestion& question, const MetadataMap& map, bool simulated,
                        Clock::time_point deadline) {
  const MetadataPatience patience = question.known ? patience_with_known() : patience_with_unknown();
  const auto make_client = [map, simulated, patience]() -> std::unique_ptr<MetadataClient> {
    return std::make_unique<NetworkMetadataClient>(map, simulated, patience);
  };
  return {to_text(ask_services(question, make_client, own_ipv4_addresses(), deadline))};
}

}  // namespace

PlatformDetection::PlatformDetection(const DetectionInputs& inputs) {
  const Evidence evidence = read_evidence(inputs.root, inputs.variables);
  local_ = look_locally(evidence);
  layers_ = host_layers(evidence);
  overrides_ = read_overrides(inputs.flags, evidence.variables, inputs.root.read_text(kOverrideFile).value_or(""));
  const auto given = overrides_.provider ? std::optional(overrides_.provider->value) : std::nullopt;
  question_ = inputs.may_use_network ? metadata_question(local_, evidence, given) : not_on_the_network();
  deadline_ = Clock::now() + (question_.known ? patience_with_known() : patience_with_unknown()).budget;
  if (question_.rules.empty()) return;
  // The process ends in time by itself; its alarm is for the case that it does not.
  constexpr unsigned kAlarmS = 8;
  asking_ = std::make_unique<BackgroundProcess>(
      [this, &inputs] { return ask_as_text(question_, inputs.metadata_map, inputs.simulated, deadline_); }, kAlarmS);
}

bool PlatformDetection::wait_until(Clock::time_point deadline) { return !asking_ || asking_->wait_until(deadline); }

void PlatformDetection::wait(Clock::time_point limit) {
  constexpr std::chrono::milliseconds kForTheAnswer{100};  // a process that gives up at its deadline still says why
  (void)wait_until(std::min<Clock::time_point>(deadline_ + kForTheAnswer, limit));
}

MetadataFindings PlatformDetection::findings() const {
  if (asking_ && asking_->answer()) return findings_from_text(*asking_->answer());
  MetadataFindings nothing;
  nothing.problem = "the metadata service does not answer in time";
  return nothing;
}

PlatformFacts PlatformDetection::facts() const {
  return with_overrides(with_metadata(local_, question_, findings()), overrides_);
}

}  // namespace gpuassay
