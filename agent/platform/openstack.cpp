// Generic OpenStack (cloud-init DataSourceOpenStack.py): OVH, nscale and many regional clouds. A second sign says whose
// it is; without one it is "openstack".
#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/platform/openstack_document.h"
#include "agent/platform/rules.h"
#include "agent/platform/words.h"
#include "core/ascii.h"

namespace gpuassay {
namespace {

bool is_nova(std::string_view text) {
  return equals_text(text, "OpenStack Nova") || equals_text(text, "OpenStack Compute");
}

std::string_view recognize_openstack(const Evidence& evidence) {
  const Firmware& firmware = evidence.firmware;
  return is_nova(firmware.product_name) || is_nova(firmware.chassis_asset_tag) ? source::kFirmware : "";
}

/// OVH's own name server, which all its networks have.
bool has_ovh_name_server(const nlohmann::json& network) {
  const auto services = network.find("services");
  if (services == network.end() || !services->is_array()) return false;
  return std::any_of(services->begin(), services->end(), [](const nlohmann::json& service) {
    return text_at(service, "type") == "dns" && text_at(service, "address") == "213.186.33.99";
  });
}

void refine(MetadataReader& reader, const nlohmann::json& document, MetadataFindings& findings) {
  const nlohmann::json& meta = object_at(document, "meta");
  if (text_at(meta, "organizationID") && text_at(meta, "projectID")) {
    findings.provider = "nscale";
    findings.set(PlatformField::region, region_word(text_at(meta, "regionID").value_or("")));
    return;
  }
  const auto network = reader.get_json("/openstack/latest/network_data.json");
  if (network && has_ovh_name_server(*network)) findings.provider = "ovh";
}

void ask_openstack(const MetadataContext& context, MetadataFindings& findings) {
  MetadataReader reader(context.client, "169.254.169.254");
  const auto document = reader.get_json(kOpenstackDocument);
  const auto id = document ? openstack_uuid(*document) : std::nullopt;
  if (id) {
    findings.validated = true;
    findings.set(PlatformField::instance_id, id);
    findings.set(PlatformField::zone, openstack_zone(*document));
    findings.set(PlatformField::instance_type, reader.get_word("/latest/meta-data/instance-type"));
    refine(reader, *document, findings);
  } else if (document) {
    reader.note("the metadata service does not answer as an OpenStack");
  }
  findings.problem = reader.problem();
}

}  // namespace

std::optional<std::string> openstack_uuid(const nlohmann::json& document) {
  const std::string uuid = lower_case(text_at(document, "uuid").value_or(""));
  constexpr std::size_t kUuidLength = 36;
  const bool fine = uuid.size() == kUuidLength && std::all_of(uuid.begin(), uuid.end(), [](char c) {
                      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-';
                    });
  return fine ? std::optional(uuid) : std::nullopt;
}

std::optional<std::string> openstack_zone(const nlohmann::json& document) {
  auto zone = region_word(text_at(document, "availability_zone").value_or(""));
  return zone == "nova" ? std::nullopt : zone;
}

PlatformRule openstack_rule() {
  PlatformRule rule;
  rule.slug = "openstack";
  rule.recognized = recognize_openstack;
  rule.ask = ask_openstack;
  rule.blind = Blind::always;
  rule.no_region = "an OpenStack tells its zone at most";
  rule.no_pricing = "an OpenStack does not tell how the machine is paid for";
  return rule;
}

}  // namespace gpuassay
