#include "agent/platform/local_platform.h"

#include <fmt/format.h>

#include "agent/platform/rules.h"
#include "agent/probe/text_fields.h"

namespace gpuassay {
namespace {

std::string_view standing_reason(const PlatformRule& rule, PlatformField field) {
  switch (field) {
    case PlatformField::instance_type: return rule.no_type;
    case PlatformField::region: return rule.no_region;
    case PlatformField::pricing_model: return rule.no_pricing;
    case PlatformField::instance_id: return rule.no_id;
    case PlatformField::zone: return rule.no_region;
  }
  return {};
}

/// Vendor and product are the same on thousands of machines: they name nobody, and help to add a platform later.
std::string unknown_provider_reason(const Evidence& evidence) {
  const auto vendor = clean_text(evidence.firmware.sys_vendor).value_or("nothing");
  const auto product = clean_text(evidence.firmware.product_name).value_or("nothing");
  constexpr std::size_t kLongestName = 60;
  return fmt::format("neither firmware (vendor {}, product {}) nor environment name a provider",
                     vendor.substr(0, kLongestName), product.substr(0, kLongestName));
}

bool may_be_asked_blindly(const PlatformRule& rule, const Evidence& evidence) {
  switch (rule.blind) {
    case Blind::never: return false;
    case Blind::always: return rule.ask != nullptr;
    case Blind::paperspace_vm: return evidence.marked("/home/paperspace") && evidence.unbranded_vm();
  }
  return false;
}

MetadataQuestion known(const PlatformRule& rule) { return {{&rule}, true, {}}; }
MetadataQuestion nobody(std::string why) { return {{}, false, std::move(why)}; }

MetadataQuestion question_inside_another(const LocalPlatform& local) {
  const PlatformRule& rule = *local.rule;
  if (rule.asks_as.empty()) return nobody("metadata would be that of the machine's owner, so none is asked");
  if (local.machine == nullptr || local.machine->slug != rule.asks_as)
    return nobody(fmt::format("firmware does not show the {} machine whose metadata would tell", rule.asks_as));
  return known(*local.machine);
}

}  // namespace

LocalPlatform look_locally(const Evidence& evidence) {
  LocalPlatform local;
  std::string_view shown_by, machine_shown_by;
  for (const PlatformRule& rule : platform_rules()) {
    const std::string_view from = rule.recognized == nullptr ? "" : rule.recognized(evidence);
    if (from.empty()) continue;
    if (local.rule == nullptr) local.rule = &rule, shown_by = from;
    if (!rule.inside_another) {
      local.machine = &rule, machine_shown_by = from;
      break;
    }
  }
  if (local.rule == nullptr) {
    local.facts.provider_reason = unknown_provider_reason(evidence);
    return local;
  }
  local.facts.provider = Fact{std::string(local.rule->slug), std::string(shown_by)};
  if (local.machine != nullptr && local.machine != local.rule)
    local.facts.underlying = Fact{std::string(local.machine->slug), std::string(machine_shown_by)};
  if (local.rule->tell != nullptr) local.rule->tell(evidence, local.facts);
  return local;
}

MetadataQuestion metadata_question(const LocalPlatform& local, const Evidence& evidence,
                                   const std::optional<std::string>& given) {
  if (local.rule != nullptr && local.rule->inside_another) return question_inside_another(local);
  if (local.rule != nullptr && local.rule->ask != nullptr) return known(*local.rule);
  if (local.rule != nullptr) return nobody("this platform has no metadata service that is asked");
  if (given) {
    const PlatformRule* const rule = rule_of(*given);
    if (rule != nullptr && rule->ask != nullptr && !rule->inside_another) return known(*rule);
    return nobody("the provider that was given has no metadata service that is asked");
  }
  MetadataQuestion question;
  for (const PlatformRule& rule : platform_rules()) {
    if (may_be_asked_blindly(rule, evidence)) question.rules.push_back(&rule);
  }
  return question;
}

PlatformFacts with_metadata(const LocalPlatform& local, const MetadataQuestion& question,
                            const MetadataFindings& findings, const std::optional<std::string>& given) {
  PlatformFacts facts = local.facts;
  const PlatformRule* rule = local.rule;
  if (findings.validated) {
    const std::string said =
        findings.provider.empty() && question.known ? std::string(question.rules.front()->slug) : findings.provider;
    const bool names_it = local.rule == nullptr || (!local.rule->inside_another && said != local.rule->slug);
    if (names_it && !said.empty()) facts.provider = Fact{said, std::string(source::kMetadata)};
    if (rule == nullptr) rule = rule_of(said);
    for (const auto& [field, value] : findings.values) facts.add(field, value, source::kMetadata);
  }
  if (given) rule = rule_of(*given);
  for (const PlatformField field : kPlatformFields) {
    if (facts.values.contains(field) || facts.reasons.contains(field)) continue;
    const std::string_view standing = rule == nullptr ? std::string_view{} : standing_reason(*rule, field);
    const auto own = findings.reasons.find(field);
    if (findings.validated && own != findings.reasons.end()) {
      facts.reasons[field] = own->second;
    } else if (!standing.empty()) {
      facts.reasons[field] = standing;
    } else if (!facts.provider && !given) {
      facts.reasons[field] = "the provider is unknown";
    } else if (question.rules.empty()) {
      facts.reasons[field] = question.why_none;
    } else {
      facts.reasons[field] = findings.problem.empty() ? "the metadata service does not tell it" : findings.problem;
    }
  }
  if (!facts.provider && !question.known && !question.rules.empty())
    facts.provider_reason += "; no metadata service proved to be one's";
  return facts;
}

}  // namespace gpuassay
