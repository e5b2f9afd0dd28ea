// Alibaba Cloud ECS (cloud-init DataSourceAliYun.py). Its address lies in the space of carriers' networks, where it may
// be anybody's: only a machine whose firmware says Alibaba asks there.
#include "agent/platform/metadata_reader.h"
#include "agent/platform/rules.h"
#include "agent/platform/words.h"

namespace gpuassay {
namespace {

std::string_view recognized(const Evidence& evidence) {
  const Firmware& firmware = evidence.firmware;
  const bool ecs =
      contains_text(firmware.sys_vendor, "Alibaba") || equals_text(firmware.product_name, "Alibaba Cloud ECS");
  return ecs ? source::kFirmware : "";
}

void ask(const MetadataContext& context, MetadataFindings& findings) {
  MetadataReader reader(context.client, "100.100.100.200");
  // Machines that do not insist on a token answer without one; those that do refuse the questions below.
  const auto token = reader.put_for_token("/latest/api/token", {{"X-aliyun-ecs-metadata-token-ttl-seconds", "300"}});
  if (token) reader.send_always("X-aliyun-ecs-metadata-token", *token);
  const auto id = reader.get_word("/latest/meta-data/instance-id");
  const auto region = region_word(reader.get_word("/latest/meta-data/region-id").value_or(""));
  if (id && id->starts_with("i-") && region) {
    findings.validated = true;
    findings.set(PlatformField::instance_id, id);
    findings.set(PlatformField::region, region);
    findings.set(PlatformField::zone, region_word(reader.get_word("/latest/meta-data/zone-id").value_or("")));
    const auto type = reader.get_word("/latest/meta-data/instance/instance-type");
    if (type && type->starts_with("ecs.")) findings.set(PlatformField::instance_type, type);
    // Only interruptible machines list this branch.
    const std::string branches = reader.get_text("/latest/meta-data/instance/").value_or("");
    if (("\n" + branches).find("\nspot/") != std::string::npos) findings.values[PlatformField::pricing_model] = "spot";
  }
  findings.problem = reader.problem();
}

}  // namespace

PlatformRule alibaba_rule() {
  PlatformRule rule;
  rule.slug = "alibaba";
  rule.recognized = recognized;
  rule.ask = ask;
  rule.no_pricing = "Alibaba's metadata tells pay-as-you-go and subscription not apart";
  return rule;
}

}  // namespace gpuassay
