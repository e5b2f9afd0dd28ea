// Baidu Cloud BCC (baidubce/baiducloud-cce-cni-driver). Two values that only Baidu has prove it; its zones have letters
// in other places than elsewhere.
#include "agent/platform/metadata_reader.h"
#include "agent/platform/rules.h"
#include "agent/platform/words.h"

namespace gpuassay {
namespace {

/// A guess: no string of Baidu's firmware is confirmed. What it asks proves itself.
std::string_view recognize_baidu(const Evidence& evidence) {
  const bool baidu =
      contains_text(evidence.firmware.sys_vendor, "Baidu") || contains_text(evidence.firmware.product_name, "Baidu");
  return baidu ? source::kFirmware : "";
}

void ask_baidu(const MetadataContext& context, MetadataFindings& findings) {
  MetadataReader reader(context.client, "169.254.169.254");
  const auto id = reader.get_word("/1.0/meta-data/instance-shortid");
  const auto zone = id ? reader.get_word("/1.0/meta-data/azone") : std::nullopt;
  if (id && id->starts_with("i-") && zone) {
    findings.validated = true;
    findings.set(PlatformField::instance_id, id);
    findings.set(PlatformField::zone, zone);
    findings.set(PlatformField::region, region_word(reader.get_word("/1.0/meta-data/region").value_or("")));
    findings.set(PlatformField::instance_type, reader.get_word("/1.0/meta-data/instance-type"));
  } else if (id) {
    reader.note("the metadata service does not answer as Baidu's");
  }
  findings.problem = reader.problem();
}

}  // namespace

PlatformRule baidu_rule() {
  PlatformRule rule;
  rule.slug = "baidu";
  rule.recognized = recognize_baidu;
  rule.ask = ask_baidu;
  rule.blind = Blind::always;
  rule.no_pricing = "Baidu's metadata does not tell how the machine is paid for";
  return rule;
}

}  // namespace gpuassay
