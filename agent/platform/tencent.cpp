// Tencent Cloud CVM (documents 213/4934 and 213/15688): values under its own name, without a token.
#include "agent/platform/metadata_reader.h"
#include "agent/platform/rules.h"
#include "agent/platform/words.h"

namespace gpuassay {
namespace {

std::string_view recognized(const Evidence& evidence) {
  return equals_text(evidence.firmware.sys_vendor, "Tencent Cloud") ? source::kFirmware : "";
}

std::optional<std::string> pricing_of(std::string_view charge_type) {
  if (charge_type == "POSTPAID_BY_HOUR") return "on_demand";
  if (charge_type == "PREPAID") return "monthly";
  if (charge_type == "SPOTPAID") return "spot";
  return std::nullopt;
}

void ask(const MetadataContext& context, MetadataFindings& findings) {
  MetadataReader reader(context.client, "metadata.tencentyun.com");
  const auto id = reader.get_word("/latest/meta-data/instance-id");
  if (id && id->starts_with("ins-")) {
    findings.validated = true;
    findings.set(PlatformField::instance_id, id);
    findings.set(PlatformField::instance_type, reader.get_word("/latest/meta-data/instance/instance-type"));
    findings.set(PlatformField::region,
                 region_word(reader.get_word("/latest/meta-data/placement/region").value_or("")));
    findings.set(PlatformField::zone, region_word(reader.get_word("/latest/meta-data/placement/zone").value_or("")));
    findings.set(PlatformField::pricing_model,
                 pricing_of(reader.get_word("/latest/meta-data/payment/charge-type").value_or("")));
  } else if (id) {
    reader.note("the metadata service does not answer as Tencent's");
  }
  findings.problem = reader.problem();
}

}  // namespace

PlatformRule tencent_rule() {
  PlatformRule rule;
  rule.slug = "tencent";
  rule.recognized = recognized;
  rule.ask = ask;
  return rule;
}

}  // namespace gpuassay
