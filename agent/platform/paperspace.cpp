// Paperspace CORE (public Terraform and image scripts). Its service is on the open internet: it is asked only where a
// user of that name lives on an unbranded virtual machine, and believed only when it knows an address of ours.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/platform/metadata_reader.h"
#include "agent/platform/rules.h"
#include "agent/platform/words.h"

namespace gpuassay {
namespace {

void ask_paperspace(const MetadataContext& context, MetadataFindings& findings) {
  MetadataReader reader(context.client, "metadata.paperspace.com");
  const auto machine = reader.get_json("/meta-data/machine");
  const auto address = machine ? text_at(*machine, "privateIpAddress") : std::nullopt;
  const auto& own = context.own_addresses;
  if (address && std::find(own.begin(), own.end(), *address) != own.end()) {
    findings.validated = true;
    findings.set(PlatformField::instance_id, word(text_at(*machine, "id").value_or("")));
    findings.set(PlatformField::instance_type, word(text_at(*machine, "machineType").value_or("")));
    // Spelled "East Coast (NY2)" elsewhere: only what looks like a region is one.
    findings.set(PlatformField::region, region_word(text_at(*machine, "region").value_or("")));
  } else if (machine) {
    reader.note("the metadata service speaks of another machine than this one");
  }
  findings.problem = reader.problem();
}

}  // namespace

PlatformRule paperspace_rule() {
  PlatformRule rule;
  rule.slug = "paperspace";
  rule.ask = ask_paperspace;
  rule.blind = Blind::paperspace_vm;
  rule.no_pricing = "Paperspace's metadata does not tell how the machine is paid for";
  return rule;
}

}  // namespace gpuassay
