// Scaleway (cloud-init DataSourceScaleway.py), at an address of its own.
#include <nlohmann/json.hpp>

#include "agent/platform/metadata_reader.h"
#include "agent/platform/rules.h"
#include "agent/platform/words.h"
#include "core/ascii.h"

namespace gpuassay {
namespace {

std::string_view recognize_scaleway(const Evidence& evidence) {
  if (equals_text(evidence.firmware.sys_vendor, "Scaleway")) return source::kFirmware;
  const bool marked = evidence.kernel_words.contains("scaleway") || evidence.marked("/var/run/scaleway") ||
                      evidence.marked("/run/scaleway") || evidence.marked("/etc/scw-release");
  return marked ? source::kFile : "";
}

void ask_scaleway(const MetadataContext& context, MetadataFindings& findings) {
  MetadataReader reader(context.client, "169.254.42.42");
  const auto document = reader.get_json("/conf?format=json");
  const auto type = document ? word(text_at(*document, "commercial_type").value_or("")) : std::nullopt;
  if (type) {
    findings.validated = true;
    findings.set(PlatformField::instance_type, type);
    auto zone = region_word(text_at(*document, "zone").value_or(""));
    if (!zone) zone = region_word(text_at(object_at(*document, "location"), "zone_id").value_or(""));
    findings.set(PlatformField::zone, zone);
    if (zone) findings.set(PlatformField::region, region_of_dashed_zone(*zone));
    findings.set(PlatformField::instance_id, word(lower_case(text_at(*document, "id").value_or(""))));
  } else if (document) {
    reader.note("the metadata service does not answer as Scaleway's");
  }
  findings.problem = reader.problem();
}

}  // namespace

PlatformRule scaleway_rule() {
  PlatformRule rule;
  rule.slug = "scaleway";
  rule.recognized = recognize_scaleway;
  rule.ask = ask_scaleway;
  rule.blind = Blind::always;
  rule.no_pricing = "Scaleway's metadata does not tell how the machine is paid for";
  return rule;
}

}  // namespace gpuassay
