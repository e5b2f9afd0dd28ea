// Microsoft Azure (cloud-init sources/azure/imds.py). Only the branch `compute`, and of it only what is named here: the
// rest has subscription, names, tags and keys.
#include <nlohmann/json.hpp>

#include "agent/platform/metadata_reader.h"
#include "agent/platform/rules.h"
#include "agent/platform/words.h"

namespace gpuassay {
namespace {

/// The tag that all Azure machines have and other Hyper-V machines have not.
std::string_view recognized(const Evidence& evidence) {
  return evidence.firmware.chassis_asset_tag == "7783-7084-3265-9085-8269-3286-77" ? source::kFirmware : "";
}

std::optional<std::string> pricing_of(const nlohmann::json& compute) {
  const auto priority = text_at(compute, "priority");
  if (!priority) return std::nullopt;
  if (equals_text(*priority, "Spot") || equals_text(*priority, "Low")) return "spot";
  if (priority->empty() || equals_text(*priority, "Regular")) return "on_demand";
  return std::nullopt;
}

bool is_azures(const nlohmann::json& compute) {
  return text_at(compute, "azEnvironment").value_or("").starts_with("Azure") && text_at(compute, "vmSize");
}

void ask(const MetadataContext& context, MetadataFindings& findings) {
  MetadataReader reader(context.client, "169.254.169.254");
  reader.send_always("Metadata", "true");
  if (context.known) reader.let_not_found_pass();
  auto compute = reader.get_json("/metadata/instance/compute?api-version=2021-02-01&format=json");
  constexpr int kVersionUnknown = 400;
  if (!compute && reader.last_status() == kVersionUnknown)
    compute = reader.get_json("/metadata/instance/compute?api-version=2019-06-01&format=json");
  if (compute && is_azures(*compute)) {
    findings.validated = true;
    findings.set(PlatformField::instance_type, word(*text_at(*compute, "vmSize")));
    findings.set(PlatformField::region, region_word(text_at(*compute, "location").value_or("")));
    findings.set(PlatformField::zone, word(text_at(*compute, "zone").value_or("")));
    if (!findings.values.contains(PlatformField::zone))
      findings.reasons[PlatformField::zone] = "the machine is in no particular zone";
    findings.set(PlatformField::pricing_model, pricing_of(*compute));
    findings.set(PlatformField::instance_id, word(lower_text(text_at(*compute, "vmId").value_or(""))));
  } else if (compute) {
    reader.note("the metadata service does not answer as Azure's");
  }
  findings.problem = reader.problem();
}

}  // namespace

PlatformRule azure_rule() {
  PlatformRule rule;
  rule.slug = "azure";
  rule.recognized = recognized;
  rule.ask = ask;
  rule.blind = Blind::always;
  return rule;
}

}  // namespace gpuassay
