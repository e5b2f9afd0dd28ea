// Platforms without a known sign: an unbranded virtual machine, no metadata service. The user can name them; nothing
// else is guessed.
#include "agent/platform/rules.h"

namespace gpuassay {

std::vector<PlatformRule> unmarked_rules() {
  std::vector<PlatformRule> rules;
  for (const std::string_view slug : {"crusoe", "fluidstack", "genesis", "tensordock"}) {
    PlatformRule rule;
    rule.slug = slug;
    rule.no_type = rule.no_region = rule.no_pricing = rule.no_id =
        "this platform tells nothing about the machine inside it";
    rules.push_back(rule);
  }
  return rules;
}

}  // namespace gpuassay
