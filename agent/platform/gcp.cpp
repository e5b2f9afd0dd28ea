// Google Compute Engine (cloud-init DataSourceGCE.py). The service is at its literal address under its own name, so
// that no name server is needed; every true answer carries the header it demands of us.
#include <nlohmann/json.hpp>

#include "agent/platform/metadata_reader.h"
#include "agent/platform/rules.h"
#include "agent/platform/words.h"

namespace gpuassay {
namespace {

std::string_view recognize_gcp(const Evidence& evidence) {
  const Firmware& firmware = evidence.firmware;
  const bool is_gce = equals_text(firmware.product_name, "Google Compute Engine") ||
                      equals_text(firmware.product_name, "Google") ||
                      firmware.product_serial.starts_with("GoogleCloud-");
  return is_gce ? source::kFirmware : "";
}

/// "projects/123/zones/us-central1-a", of which the number is the account's.
std::optional<std::string> last_part(const std::optional<std::string>& path) {
  return path ? word(last_path_part(*path)) : std::nullopt;
}

void ask_for_pricing(MetadataReader& reader, MetadataFindings& findings) {
  const auto preemptible = reader.get_word("/computeMetadata/v1/instance/scheduling/preemptible");
  const auto provisioning = reader.get_word("/computeMetadata/v1/instance/scheduling/provisioning-model");
  if (equals_text(preemptible.value_or(""), "TRUE") || equals_text(provisioning.value_or(""), "SPOT")) {
    findings.values[PlatformField::pricing_model] = "spot";
  } else if (equals_text(provisioning.value_or(""), "RESERVATION_BOUND")) {
    findings.values[PlatformField::pricing_model] = "reserved";
  } else if (equals_text(preemptible.value_or(""), "FALSE") &&
             equals_text(provisioning.value_or("STANDARD"), "STANDARD")) {
    findings.values[PlatformField::pricing_model] = "on_demand";
  }
}

MetadataReader gcp_reader(MetadataClient& client) {
  MetadataReader reader(client, "169.254.169.254");
  reader.send_always("Host", "metadata.google.internal");
  reader.send_always("Metadata-Flavor", "Google");
  return reader;
}

/// Was the last answer Google's?
bool is_proven(const MetadataReader& reader) { return equals_text(reader.last_header("metadata-flavor"), "Google"); }

void ask_gcp(const MetadataContext& context, MetadataFindings& findings) {
  MetadataReader reader = gcp_reader(context.client);
  const auto zone = last_part(reader.get_word("/computeMetadata/v1/instance/zone"));
  if (zone && !is_proven(reader)) {
    reader.note("the metadata service does not prove that it is Google's");
  } else if (zone) {
    findings.validated = true;
    findings.set(PlatformField::zone, region_word(*zone));
    findings.set(PlatformField::region, region_word(region_of_dashed_zone(*zone).value_or("")));
    // GKE's emulator has no machine type.
    findings.set(PlatformField::instance_type, last_part(reader.get_word("/computeMetadata/v1/instance/machine-type")));
    const auto id = reader.get_word("/computeMetadata/v1/instance/id");
    if (id && is_number(*id)) findings.set(PlatformField::instance_id, id);
    ask_for_pricing(reader, findings);
  }
  findings.problem = reader.problem();
}

/// TRUE some 30 s before a preempted machine is switched off, FALSE before ("Preemptible VM instances"). When that will
/// be is not said.
std::optional<Notice> gcp_notice(MetadataClient& client) {
  MetadataReader reader = gcp_reader(client);
  const auto preempted = reader.get_word("/computeMetadata/v1/instance/preempted");
  return preempted == "TRUE" && is_proven(reader) ? std::optional(Notice{}) : std::nullopt;
}

}  // namespace

PlatformRule gcp_rule() {
  PlatformRule rule;
  rule.slug = "gcp";
  rule.recognized = recognize_gcp;
  rule.ask = ask_gcp;
  rule.blind = Blind::always;
  rule.notice = gcp_notice;
  return rule;
}

}  // namespace gpuassay
