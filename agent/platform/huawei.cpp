// Huawei Cloud ECS (user guide "Obtaining Metadata"): an OpenStack whose document says more, and some values in EC2's
// tree.
#include <nlohmann/json.hpp>

#include "agent/platform/openstack_document.h"
#include "agent/platform/rules.h"
#include "agent/platform/words.h"

namespace gpuassay {
namespace {

constexpr std::string_view kHost = "169.254.169.254";

std::string_view recognize_huawei(const Evidence& evidence) {
  const Firmware& firmware = evidence.firmware;
  const bool ecs =
      equals_text(firmware.chassis_asset_tag, "HUAWEICLOUD") || equals_text(firmware.sys_vendor, "Huawei Cloud");
  return ecs ? source::kFirmware : "";
}

/// "cn-north-4" of "cn-north-4a"; nothing of a zone with another form.
std::optional<std::string> region_of(std::string_view zone) {
  if (zone.size() < 4 || zone.back() < 'a' || zone.back() > 'z') return std::nullopt;
  const std::string_view region = zone.substr(0, zone.size() - 1);
  const std::size_t dash = region.rfind('-');
  if (dash == std::string_view::npos || !is_number(region.substr(dash + 1))) return std::nullopt;
  return std::string(region);
}

std::optional<std::string> pricing_of(std::string_view charging_mode) {
  if (charging_mode == "0") return "on_demand";
  if (charging_mode == "1") return "monthly";
  if (charging_mode == "2") return "spot";
  return std::nullopt;
}

/// "p2s.2xlarge.8" of "p2s.2xlarge.8.linux".
std::optional<std::string> flavour(std::string_view code) {
  for (const std::string_view system : {".linux", ".win"}) {
    if (code.ends_with(system)) code.remove_suffix(system.size());
  }
  return word(code);
}

/// Some machines answer only to a token: takes one when the last answer says so.
bool took_token(MetadataReader& reader) {
  constexpr int kUnauthorized = 401, kForbidden = 403;
  if (reader.last_status() != kUnauthorized && reader.last_status() != kForbidden) return false;
  const auto token = reader.put_for_token("/meta-data/latest/api/token", {{"X-Metadata-Token-Ttl-Seconds", "300"}});
  if (token) reader.send_always("X-Metadata-Token", *token);
  return token.has_value();
}

void ask_huawei(const MetadataContext& context, MetadataFindings& findings) {
  MetadataReader reader(context.client, kHost);
  auto document = reader.get_json(kOpenstackDocument);
  if (!document && took_token(reader)) document = reader.get_json(kOpenstackDocument);
  const auto id = document ? openstack_uuid(*document) : std::nullopt;
  if (id) {
    findings.validated = true;
    findings.set(PlatformField::instance_id, id);
    const auto zone = openstack_zone(*document);
    findings.set(PlatformField::zone, zone);
    if (zone) findings.set(PlatformField::region, region_of(*zone));
    const nlohmann::json& meta = object_at(*document, "meta");
    findings.set(PlatformField::instance_type, flavour(text_at(meta, "metering.resourcespeccode").value_or("")));
    findings.set(PlatformField::instance_type, reader.get_word("/latest/meta-data/instance-type"));
    findings.set(PlatformField::pricing_model, pricing_of(text_at(meta, "charging_mode").value_or("")));
  } else if (document) {
    reader.note("the metadata service does not answer as Huawei's");
  }
  findings.problem = reader.problem();
}

/// Seen in one public script only, at the path that others have for it: 404 is what is to be expected. Whatever is
/// there counts only as an instant with its zone, and beside Huawei's document.
std::optional<Notice> huawei_notice(MetadataClient& client) {
  MetadataReader reader(client, kHost);
  constexpr std::string_view kPath = "/latest/meta-data/spot/termination-time";
  auto time = reader.get_word(kPath);
  if (!time && took_token(reader)) time = reader.get_word(kPath);
  const auto notice = notice_at(time.value_or(""));
  const auto document = notice ? reader.get_json(kOpenstackDocument) : std::nullopt;
  return document && openstack_uuid(*document) ? notice : std::nullopt;
}

}  // namespace

PlatformRule huawei_rule() {
  PlatformRule rule;
  rule.slug = "huawei";
  rule.recognized = recognize_huawei;
  rule.ask = ask_huawei;
  rule.notice = huawei_notice;
  return rule;
}

}  // namespace gpuassay
