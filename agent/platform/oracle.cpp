// Oracle Cloud Infrastructure, metadata version 2 (Oracle "Getting Instance Metadata"). Value by value, as the whole
// document has the user's own data in it.
#include <nlohmann/json.hpp>

#include "agent/platform/metadata_reader.h"
#include "agent/platform/rules.h"
#include "agent/platform/words.h"

namespace gpuassay {
namespace {

std::string_view recognize_oracle(const Evidence& evidence) {
  return evidence.firmware.chassis_asset_tag == "OracleCloud.com" ? source::kFirmware : "";
}

/// `ociAdName` and not `availabilityDomain`, whose prefix ("Abcd:US-...") differs from tenancy to tenancy.
void ask_oracle(const MetadataContext& context, MetadataFindings& findings) {
  MetadataReader reader(context.client, "169.254.169.254");
  reader.send_always("Authorization", "Bearer Oracle");
  const auto id = reader.get_word("/opc/v2/instance/id");
  if (id && id->starts_with("ocid1.instance.")) {
    findings.validated = true;
    findings.set(PlatformField::instance_id, id);
    findings.set(PlatformField::instance_type, reader.get_word("/opc/v2/instance/shape"));
    findings.set(PlatformField::region,
                 region_word(reader.get_word("/opc/v2/instance/canonicalRegionName").value_or("")));
    findings.set(PlatformField::zone, region_word(reader.get_word("/opc/v2/instance/ociAdName").value_or("")));
  } else if (id) {
    reader.note("the metadata service does not answer as Oracle's");
  }
  findings.problem = reader.problem();
}

}  // namespace

PlatformRule oracle_rule() {
  PlatformRule rule;
  rule.slug = "oracle";
  rule.recognized = recognize_oracle;
  rule.ask = ask_oracle;
  rule.blind = Blind::always;
  rule.no_pricing = "Oracle's metadata does not tell preemptible or reserved machines from others";
  return rule;
}

}  // namespace gpuassay
