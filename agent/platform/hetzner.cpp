// Hetzner Cloud (cloud-init DataSourceHetzner.py). Its dedicated GPU servers have neither this firmware nor the
// service.
#include "agent/platform/metadata_reader.h"
#include "agent/platform/rules.h"
#include "agent/platform/words.h"

namespace gpuassay {
namespace {

std::string_view recognize_hetzner(const Evidence& evidence) {
  return equals_text(evidence.firmware.sys_vendor, "Hetzner") ? source::kFirmware : "";
}

/// The server's number; root only.
void tell_hetzner(const Evidence& evidence, PlatformFacts& facts) {
  if (is_number(evidence.firmware.product_serial) && word(evidence.firmware.product_serial))
    facts.add(PlatformField::instance_id, evidence.firmware.product_serial, source::kFirmware);
}

/// Prices go by the location, "fsn1" of the zone "fsn1-dc14"; what Hetzner calls region spans several.
std::optional<std::string> location_of(std::string_view zone) {
  const std::size_t place = zone.find("-dc");
  return place == std::string_view::npos || place == 0 ? std::nullopt
                                                       : std::optional(std::string(zone.substr(0, place)));
}

void ask_hetzner(const MetadataContext& context, MetadataFindings& findings) {
  MetadataReader reader(context.client, "169.254.169.254");
  const auto id = reader.get_word("/hetzner/v1/metadata/instance-id");
  if (id && is_number(*id)) {
    findings.validated = true;
    findings.set(PlatformField::instance_id, id);
    const auto zone = region_word(reader.get_word("/hetzner/v1/metadata/availability-zone").value_or(""));
    findings.set(PlatformField::zone, zone);
    if (zone) findings.set(PlatformField::region, location_of(*zone));
  } else if (id) {
    reader.note("the metadata service does not answer as Hetzner's");
  }
  findings.problem = reader.problem();
}

}  // namespace

PlatformRule hetzner_rule() {
  PlatformRule rule;
  rule.slug = "hetzner";
  rule.recognized = recognize_hetzner;
  rule.tell = tell_hetzner;
  rule.ask = ask_hetzner;
  rule.no_type = "Hetzner's metadata does not tell the server type";
  rule.no_pricing = "Hetzner's metadata does not tell how the machine is paid for";
  return rule;
}

}  // namespace gpuassay
