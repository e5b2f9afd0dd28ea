// Whatever a metadata service or the user's file says. The first byte says whose service is asked what this machine is,
// that it is the file, or whose service is asked whether the machine ends; what follows a 0x1e is one answer: a byte
// for its status, a byte for its type, its body.
#include <cstdlib>
#include <string>
#include <vector>

#include "agent/platform/findings_text.h"
#include "agent/platform/local_platform.h"
#include "agent/platform/metadata_map.h"
#include "agent/platform/notice.h"
#include "agent/platform/overrides.h"
#include "agent/platform/platform_block.h"
#include "agent/platform/rules.h"
#include "agent/probe/text_fields.h"
#include "core/error.h"

namespace {

using namespace gpuassay;

/// Ends the program, which libFuzzer keeps the input of.
void demand(bool holds) {
  if (!holds) std::abort();
}

/// Gives the answers in turn, then none.
class FuzzedServices : public MetadataClient {
 public:
  explicit FuzzedServices(std::vector<std::string_view> answers) : answers_(std::move(answers)) {}

  MetadataAnswer send(const MetadataRequest& request) override {
    constexpr std::size_t kMostRequests = 16;
    demand(is_metadata_host(request.host) && ++requests_ <= kMostRequests);
    for (const auto& [name, value] : request.headers) demand(value.find_first_of("\r\n") == std::string::npos);
    if (next_ >= answers_.size() || answers_[next_].size() < 2) return {0, {}, {}, "no answer"};
    const std::string_view text = answers_[next_++];
    constexpr int kStatuses[] = {200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 429, 500};
    constexpr std::string_view kTypes[] = {"text/plain", "application/json", "application/text", "text/html", ""};
    MetadataAnswer answer;
    answer.status = kStatuses[static_cast<unsigned char>(text[0]) % std::size(kStatuses)];
    answer.headers = {{"content-type", std::string(kTypes[static_cast<unsigned char>(text[1]) % std::size(kTypes)])},
                      {"metadata-flavor", "Google"}};
    answer.body = text.substr(2);
    return answer;
  }

 private:
  std::vector<std::string_view> answers_;
  std::size_t next_ = 0, requests_ = 0;
};

/// Whatever was said, the block is one that the schema of results takes.
void check_block(const PlatformFacts& facts) {
  Platform platform;
  std::vector<Unknown> unknown;
  const IdentifierHash hash = [](std::string_view, std::string_view) { return std::optional<std::string>("hash"); };
  set_platform(facts, {}, hash, platform, unknown);
  constexpr std::size_t kLongest = 256;
  for (const auto* text : {&platform.instance_type, &platform.region, &platform.zone}) {
    demand(!*text || (clean_text(**text) == **text && (*text)->size() <= kLongest));
  }
  demand(!platform.provider.empty() && platform.provider.size() <= 32);
  demand(platform.provider.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos);
  for (const Unknown& entry : unknown) demand(!entry.reason.empty() && entry.reason.size() <= kLongest);
}

FuzzedServices services_of(std::string_view text) {
  const std::vector<std::string_view> answers = split(text, '\x1e');
  return FuzzedServices({answers.begin() + 1, answers.end()});
}

void ask_one(const PlatformRule& rule, std::string_view text) {
  FuzzedServices services = services_of(text);
  MetadataFindings findings;
  rule.ask({services, text.size() % 2 == 0, {"10.0.0.7"}}, findings);
  const MetadataFindings back = findings_from_text(to_text(findings));
  demand(back.values == findings.values && back.validated == findings.validated && back.provider == findings.provider);
  demand(findings.validated || findings.values.empty());
  LocalPlatform local;
  MetadataQuestion question;
  question.rules = {&rule};
  question.known = true;
  check_block(with_metadata(local, question, back));
}

/// A notice is one line of ours, whatever led to it.
void ask_for_notice(const PlatformRule& rule, std::string_view text) {
  FuzzedServices services = services_of(text);
  const auto notice = rule.notice(services);
  if (!notice) return;
  const std::string line = notice_text(rule.slug, *notice);
  constexpr std::size_t kLongest = 100;
  demand(clean_text(line) == line && line.size() <= kLongest);
}

void read_file(std::string_view text) {
  const PlatformOverrides said = read_overrides({}, {}, text);
  check_block(with_overrides({}, said));
  try {
    (void)parse_metadata_map(text);
  } catch (const Error& error) {
    demand(error.code() == ErrorCode::usage);
  }
  Evidence evidence;
  evidence.sagemaker_resources = evidence.sagemaker_metadata = text;
  evidence.variables["VAST_CONTAINERLABEL"] = text;
  evidence.firmware.sys_vendor = evidence.firmware.product_name = text;
  check_block(look_locally(evidence).facts);
  evidence.variables.clear();
  check_block(look_locally(evidence).facts);
}

std::vector<const PlatformRule*> rules_with(bool (*has)(const PlatformRule&)) {
  std::vector<const PlatformRule*> rules;
  for (const PlatformRule& rule : platform_rules()) {
    if (has(rule)) rules.push_back(&rule);
  }
  return rules;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const std::vector<const PlatformRule*> kAsked =
      rules_with([](const PlatformRule& rule) { return rule.ask != nullptr; });
  static const std::vector<const PlatformRule*> kAnnounce =
      rules_with([](const PlatformRule& rule) { return rule.notice != nullptr; });
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t which = data[0] % (kAsked.size() + 1 + kAnnounce.size());
  if (which < kAsked.size()) {
    ask_one(*kAsked[which], text);
  } else if (which == kAsked.size()) {
    read_file(text.substr(1));
  } else {
    ask_for_notice(*kAnnounce[which - kAsked.size() - 1], text);
  }
  return 0;
}
