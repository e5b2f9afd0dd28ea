#include "agent/platform/detection.h"

#include <algorithm>
#include <thread>

#include "agent/platform/ask.h"
#include "agent/platform/findings_text.h"
#include "agent/platform/layers.h"
#include "agent/platform/network_wait.h"
#include "agent/platform/notice_watch.h"

namespace gpuassay {
namespace {

using Clock = std::chrono::steady_clock;

MetadataQuestion not_on_the_network() { return {{}, false, "not asked, as the run is offline"}; }

MetadataClientMaker client_maker(const DetectionInputs& inputs, const MetadataPatience& patience,
                                 const MetadataLog& log = {}) {
  return [map = inputs.metadata_map, simulated = inputs.simulated, patience, log]() -> std::unique_ptr<MetadataClient> {
    return std::make_unique<NetworkMetadataClient>(map, simulated, patience, log);
  };
}

void watch(const PlatformRule& rule, const MetadataClientMaker& make_client, const NoticePipe& notices) {
  const auto now_ms = [] {
    return std::int64_t{
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count()};
  };
  const auto pause = [] {
    std::this_thread::sleep_for(kNoticeInterval);
    return true;
  };
  if (const auto notice = wait_for_notice(rule, make_client, now_ms, pause))
    notices.announce(notice_text(rule.slug, *notice));
}

}  // namespace

PlatformDetection::PlatformDetection(const DetectionInputs& inputs) {
  const Evidence evidence = read_evidence(inputs.root, inputs.variables);
  local_ = look_locally(evidence);
  layers_ = host_layers(evidence);
  overrides_ = read_overrides(inputs.flags, evidence.variables, inputs.root.read_text(kOverrideFile).value_or(""));
  if (overrides_.provider) given_ = overrides_.provider->value;
  question_ = inputs.use == MetadataUse::none ? not_on_the_network() : metadata_question(local_, evidence, given_);
  // Recorded services are on this machine itself.
  if (question_.known && !inputs.simulated) network_wait_ = inputs.network_wait;
  deadline_ = Clock::now() + network_wait_ + patience().budget;
  if (question_.rules.empty()) return;
  // The process ends in time by itself; its alarm is for the case that it does not.
  constexpr std::chrono::seconds kAlarm{8};
  if (inputs.use == MetadataUse::describe_and_watch) notices_.emplace();
  asking_ = std::make_unique<BackgroundProcess>([this, &inputs] { return ask(inputs); },
                                                static_cast<unsigned>((kAlarm + network_wait_).count()),
                                                notices_ ? notices_->writing_fd() : -1);
}

MetadataPatience PlatformDetection::patience() const {
  return question_.known ? patience_with_known() : patience_with_unknown();
}

BackgroundAnswer PlatformDetection::ask(const DetectionInputs& inputs) const {
  wait_for_network([&] { return has_default_route(inputs.root.read_text("/proc/net/route").value_or("")); },
                   network_wait_, [](std::chrono::seconds pause) { std::this_thread::sleep_for(pause); });
  const MetadataFindings found = ask_services(question_, client_maker(inputs, patience(), inputs.log),
                                              own_ipv4_addresses(), Clock::now() + patience().budget);
  BackgroundAnswer answer{to_text(found)};
  const PlatformRule* const rule = notices_ ? rule_of_notices(question_, found, facts_with(found)) : nullptr;
  if (rule != nullptr) {
    answer.then = [this, rule, make_client = client_maker(inputs, patience_with_notices(rule->notice_time))] {
      watch(*rule, make_client, *notices_);
    };
  }
  return answer;
}

bool PlatformDetection::wait_until(Clock::time_point deadline) { return !asking_ || asking_->wait_until(deadline); }

void PlatformDetection::wait(Clock::time_point limit, int stop_fd) {
  constexpr std::chrono::milliseconds kForTheAnswer{100};  // a process that gives up at its deadline still says why
  if (asking_) (void)asking_->wait_until(std::min<Clock::time_point>(deadline_ + kForTheAnswer, limit), stop_fd);
}

MetadataFindings PlatformDetection::findings() const {
  if (asking_ && asking_->answer()) return findings_from_text(*asking_->answer());
  MetadataFindings nothing;
  nothing.problem = "the metadata service does not answer in time";
  return nothing;
}

PlatformFacts PlatformDetection::facts_with(const MetadataFindings& findings) const {
  return with_overrides(with_metadata(local_, question_, findings, given_), overrides_);
}

PlatformFacts PlatformDetection::facts() const { return facts_with(findings()); }

}  // namespace gpuassay
