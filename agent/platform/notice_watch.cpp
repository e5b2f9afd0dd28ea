#include "agent/platform/notice_watch.h"

#include <algorithm>
#include <exception>

namespace gpuassay {
namespace {

const PlatformRule* certain_rule(const MetadataQuestion& question, const MetadataFindings& findings) {
  if (question.known && !question.rules.empty()) return question.rules.front();
  const auto proven = std::find_if(question.rules.begin(), question.rules.end(),
                                   [&](const PlatformRule* rule) { return rule->slug == findings.provider; });
  return findings.validated && proven != question.rules.end() ? *proven : nullptr;
}

std::optional<Notice> ask_once(const PlatformRule& rule, const MetadataClientMaker& make_client) {
  try {
    return rule.notice(*make_client());
  } catch (const std::exception&) {  // memory, or a bug: not a reason to end a run
    return std::nullopt;
  }
}

bool is_outlived(const Notice& notice, std::int64_t now_ms) {
  constexpr std::int64_t kOutlivedMs = std::chrono::milliseconds(kNoticeOutlived).count();
  return notice.ends_at_ms && *notice.ends_at_ms < now_ms - kOutlivedMs;
}

}  // namespace

const PlatformRule* rule_of_notices(const MetadataQuestion& question, const MetadataFindings& findings,
                                    const PlatformFacts& facts) {
  const PlatformRule* const rule = certain_rule(question, findings);
  if (rule == nullptr || rule->notice == nullptr) return nullptr;
  const auto pricing = facts.values.find(PlatformField::pricing_model);
  return pricing != facts.values.end() && pricing->second.value == "on_demand" ? nullptr : rule;
}

std::optional<Notice> wait_for_notice(const PlatformRule& rule, const MetadataClientMaker& make_client,
                                      const std::function<std::int64_t()>& now_ms, const std::function<bool()>& pause) {
  do {
    const auto notice = ask_once(rule, make_client);
    if (notice && !is_outlived(*notice, now_ms())) return notice;
  } while (pause());
  return std::nullopt;
}

}  // namespace gpuassay
