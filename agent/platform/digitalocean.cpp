// DigitalOcean (digitalocean/go-metadata). Value by value: the whole document has the user's data and a key in it.
// UpCloud serves the same paths, so only firmware says which it is.
#include "agent/platform/metadata_reader.h"
#include "agent/platform/rules.h"
#include "agent/platform/words.h"

namespace gpuassay {
namespace {

std::string_view recognize_digitalocean(const Evidence& evidence) {
  return equals_text(evidence.firmware.sys_vendor, "DigitalOcean") ? source::kFirmware : "";
}

/// The droplet's number; root only.
void tell_digitalocean(const Evidence& evidence, PlatformFacts& facts) {
  if (is_number(evidence.firmware.product_serial) && word(evidence.firmware.product_serial))
    facts.add(PlatformField::instance_id, evidence.firmware.product_serial, source::kFirmware);
}

void ask_digitalocean(const MetadataContext& context, MetadataFindings& findings) {
  MetadataReader reader(context.client, "169.254.169.254");
  const auto id = reader.get_word("/metadata/v1/id");
  if (id && is_number(*id)) {
    findings.validated = true;
    findings.set(PlatformField::instance_id, id);
    findings.set(PlatformField::region, region_word(reader.get_word("/metadata/v1/region").value_or("")));
  } else if (id) {
    reader.note("the metadata service does not answer as DigitalOcean's");
  }
  findings.problem = reader.problem();
}

}  // namespace

PlatformRule digitalocean_rule() {
  PlatformRule rule;
  rule.slug = "digitalocean";
  rule.recognized = recognize_digitalocean;
  rule.tell = tell_digitalocean;
  rule.ask = ask_digitalocean;
  rule.no_type = "DigitalOcean's metadata does not tell the size; GPU model and count stand for it";
  rule.no_pricing = "DigitalOcean's metadata does not tell how the machine is paid for";
  return rule;
}

}  // namespace gpuassay
