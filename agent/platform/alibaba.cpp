// Alibaba Cloud ECS (cloud-init DataSourceAliYun.py). Its address lies in the space of carriers' networks, where it may
// be anybody's: only a machine whose firmware says Alibaba asks there.
#include "agent/platform/metadata_reader.h"
#include "agent/platform/rules.h"
#include "agent/platform/words.h"

namespace gpuassay {
namespace {

constexpr std::string_view kHost = "100.100.100.200";

std::string_view recognize_alibaba(const Evidence& evidence) {
  const Firmware& firmware = evidence.firmware;
  const bool ecs =
      contains_text(firmware.sys_vendor, "Alibaba") || equals_text(firmware.product_name, "Alibaba Cloud ECS");
  return ecs ? source::kFirmware : "";
}

/// Machines that do not insist on a token answer without one; those that do refuse what is asked after this.
void take_token(MetadataReader& reader) {
  const auto token = reader.put_for_token("/latest/api/token", {{"X-aliyun-ecs-metadata-token-ttl-seconds", "300"}});
  if (token) reader.send_always("X-aliyun-ecs-metadata-token", *token);
}

/// Empty for an id of somebody else.
std::optional<std::string> instance_id(MetadataReader& reader) {
  auto id = reader.get_word("/latest/meta-data/instance-id");
  return id && id->starts_with("i-") ? id : std::nullopt;
}

void ask_alibaba(const MetadataContext& context, MetadataFindings& findings) {
  MetadataReader reader(context.client, kHost);
  take_token(reader);
  const auto id = instance_id(reader);
  const auto region = region_word(reader.get_word("/latest/meta-data/region-id").value_or(""));
  if (id && region) {
    findings.validated = true;
    reader.forget_problem();  // that there is no token
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

/// 404, in older texts an empty answer, until the release of an interruptible machine is planned; then when, in UTC
/// ("Query the interruption events of preemptible instances").
std::optional<Notice> alibaba_notice(MetadataClient& client) {
  MetadataReader reader(client, kHost);
  take_token(reader);
  const auto notice = notice_at(reader.get_word("/latest/meta-data/instance/spot/termination-time").value_or(""));
  return notice && instance_id(reader) ? notice : std::nullopt;
}

}  // namespace

PlatformRule alibaba_rule() {
  PlatformRule rule;
  rule.slug = "alibaba";
  rule.recognized = recognize_alibaba;
  rule.ask = ask_alibaba;
  rule.notice = alibaba_notice;
  rule.no_pricing = "Alibaba's metadata tells pay-as-you-go and subscription not apart";
  return rule;
}

}  // namespace gpuassay
