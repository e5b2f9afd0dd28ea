// Tencent Cloud CVM (documents 213/4934 and 213/15688): values under its own name, without a token.
#include "agent/platform/metadata_reader.h"
#include "agent/platform/rules.h"
#include "agent/platform/words.h"
#include "agent/probe/text_fields.h"

namespace gpuassay {
namespace {

constexpr std::string_view kHost = "metadata.tencentyun.com", kInstanceId = "/latest/meta-data/instance-id";

std::string_view recognize_tencent(const Evidence& evidence) {
  return equals_text(evidence.firmware.sys_vendor, "Tencent Cloud") ? source::kFirmware : "";
}

std::optional<std::string> pricing_of(std::string_view charge_type) {
  if (charge_type == "POSTPAID_BY_HOUR") return "on_demand";
  if (charge_type == "PREPAID") return "monthly";
  if (charge_type == "SPOTPAID") return "spot";
  return std::nullopt;
}

void ask_tencent(const MetadataContext& context, MetadataFindings& findings) {
  MetadataReader reader(context.client, kHost);
  const auto id = reader.get_word(kInstanceId);
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

/// 404 until the repossession of a spot machine is planned; then when, as "2018-08-18 12:05:33" in China's time without
/// saying so (document 213/32487).
std::optional<Notice> tencent_notice(MetadataClient& client) {
  MetadataReader reader(client, kHost);
  const std::string time(trim(reader.get_text("/latest/meta-data/spot/termination-time").value_or("")));
  if (time.size() != std::string_view("2018-08-18 12:05:33").size()) return std::nullopt;
  const auto notice = notice_at(time + "+08:00");
  if (!notice) return std::nullopt;
  return reader.get_word(kInstanceId).value_or("").starts_with("ins-") ? notice : std::nullopt;
}

}  // namespace

PlatformRule tencent_rule() {
  PlatformRule rule;
  rule.slug = "tencent";
  rule.recognized = recognize_tencent;
  rule.ask = ask_tencent;
  rule.notice = tencent_notice;
  return rule;
}

}  // namespace gpuassay
