// Amazon EC2: instance metadata version 2, always with a token (amazon.com "Instance metadata", cloud-init
// DataSourceEc2.py). A tree at /latest/meta-data/ proves nothing: half of all clouds serve one.
#include <nlohmann/json.hpp>

#include "agent/platform/metadata_reader.h"
#include "agent/platform/rules.h"
#include "agent/platform/words.h"
#include "core/ascii.h"

namespace gpuassay {
namespace {

constexpr std::string_view kHost = "169.254.169.254";

/// "ec2xxxxx-..." or, with swapped bytes, "xxxx2xec-...". One random UUID in 4,000 looks like this, so it counts only
/// where Xen's EC2 also makes it the serial number.
bool has_ec2_uuid(const Firmware& firmware) {
  const std::string uuid = lower_case(firmware.product_uuid);
  if (uuid.size() < 8 || !equals_text(uuid, firmware.product_serial)) return false;
  return uuid.starts_with("ec2") || (uuid[4] == '2' && uuid.substr(6, 2) == "ec");
}

std::string_view recognize_aws(const Evidence& evidence) {
  const Firmware& firmware = evidence.firmware;
  const bool is_ec2 = equals_text(firmware.sys_vendor, "Amazon EC2") || contains_text(firmware.bios_vendor, "Amazon") ||
                      contains_text(firmware.bios_version, "amazon") ||
                      lower_case(evidence.hypervisor_uuid).starts_with("ec2") || has_ec2_uuid(firmware);
  return is_ec2 ? source::kFirmware : "";
}

bool is_instance_id(std::string_view text) { return is_hex_id(text, "i-", 8, 17); }

/// "p5.48xlarge", "u-6tb1.metal"; not "HVM domU", which Xen machines have in its place.
std::optional<std::string> instance_type(std::string_view text) {
  auto type = word(text);
  if (!type || type->find('.') == std::string::npos || type->find('/') != std::string::npos) return std::nullopt;
  return *type == lower_case(*type) ? type : std::nullopt;
}

/// Nitro machines have both in their firmware, readable by everyone, also where the metadata service is off.
void tell_aws(const Evidence& evidence, PlatformFacts& facts) {
  if (const auto type = instance_type(evidence.firmware.product_name))
    facts.add(PlatformField::instance_type, *type, source::kFirmware);
  if (is_instance_id(evidence.firmware.board_asset_tag))
    facts.add(PlatformField::instance_id, evidence.firmware.board_asset_tag, source::kFirmware);
}

/// "us-east-1", "us-gov-west-1", "cn-north-1".
std::optional<std::string> region(const std::optional<std::string>& text) {
  auto name = text ? region_word(*text) : std::nullopt;
  return name && region_of_dashed_zone(*name) && is_number(name->substr(name->rfind('-') + 1)) ? name : std::nullopt;
}

std::string pricing_of(std::string_view life_cycle) {
  if (life_cycle == "spot") return "spot";
  // Others, such as scheduled and capacity-block, are paid for ahead.
  return life_cycle == "on-demand" ? "on_demand" : "reserved";
}

/// False for another provider's tree.
bool is_amazons(MetadataReader& reader, bool known) {
  const auto domain = reader.get_word("/latest/meta-data/services/domain");
  if (domain) return *domain == "amazonaws.com" || *domain == "amazonaws.com.cn";
  return known;
}

/// False without a token, without which nothing is to be asked.
bool take_token(MetadataReader& reader) {
  const auto token = reader.put_for_token("/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", "300"}});
  if (token) reader.send_always("X-aws-ec2-metadata-token", *token);
  return token.has_value();
}

void ask_aws(const MetadataContext& context, MetadataFindings& findings) {
  MetadataReader reader(context.client, kHost);
  if (take_token(reader)) {
    const auto document = is_amazons(reader, context.known)
                              ? reader.get_json("/latest/dynamic/instance-identity/document")
                              : std::nullopt;
    const auto id = document ? text_at(*document, "instanceId") : std::nullopt;
    if (id && is_instance_id(*id)) {
      findings.validated = true;
      findings.set(PlatformField::instance_id, id);
      findings.set(PlatformField::instance_type, instance_type(text_at(*document, "instanceType").value_or("")));
      findings.set(PlatformField::region, region(text_at(*document, "region")));
      findings.set(PlatformField::zone, region_word(text_at(*document, "availabilityZone").value_or("")));
      if (const auto cycle = reader.get_word("/latest/meta-data/instance-life-cycle"))
        findings.set(PlatformField::pricing_model, pricing_of(*cycle));
    }
  }
  findings.problem = reader.problem();
}

/// 404 until the end of a spot machine is planned ("Spot Instance interruption notices").
std::optional<Notice> aws_notice(MetadataClient& client) {
  MetadataReader reader(client, kHost);
  if (!take_token(reader)) return std::nullopt;
  const auto planned = reader.get_json("/latest/meta-data/spot/instance-action");
  const std::string action = planned ? text_at(*planned, "action").value_or("") : "";
  // Stopped or hibernated it measures as little as terminated.
  if (action != "terminate" && action != "stop" && action != "hibernate") return std::nullopt;
  const auto notice = notice_at(text_at(*planned, "time").value_or(""));
  constexpr bool kElseKnown = false;  // whoever copies the path may not copy the domain
  return notice && is_amazons(reader, kElseKnown) ? notice : std::nullopt;
}

}  // namespace

PlatformRule aws_rule() {
  PlatformRule rule;
  rule.slug = "aws";
  rule.recognized = recognize_aws;
  rule.tell = tell_aws;
  rule.ask = ask_aws;
  rule.blind = Blind::always;
  rule.notice = aws_notice;
  return rule;
}

}  // namespace gpuassay
