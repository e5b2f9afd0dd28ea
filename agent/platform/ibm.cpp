// IBM Cloud: the virtual private cloud with a metadata service of its own (IBM "Identity operations", "VPC Metadata
// API"), and the classic machines of SoftLayer (Ohai softlayer_metadata.rb).
#include <nlohmann/json.hpp>

#include "agent/platform/metadata_reader.h"
#include "agent/platform/rules.h"
#include "agent/platform/words.h"

namespace gpuassay {
namespace {

/// The first is newer; machines of before know only the other one.
std::optional<std::string> take_token(MetadataReader& reader, std::string& version) {
  for (const auto& [path, date] :
       {std::pair{"/identity/v1/token", "2025-08-26"}, std::pair{"/instance_identity/v1/token", "2022-03-01"}}) {
    const auto answer = reader.put_for_json(
        std::string(path) + "?version=" + date,
        {{"Metadata-Flavor", "ibm"}, {"Accept", "application/json"}, {"Content-Type", "application/json"}},
        R"({"expires_in":300})");
    version = date;
    if (answer) return token_word(text_at(*answer, "access_token").value_or(""));
  }
  return std::nullopt;
}

/// No field for it is confirmed; these two are the candidates.
bool says_spot(const nlohmann::json& instance) {
  return text_at(object_at(instance, "availability"), "class") == "spot" ||
         text_at(object_at(instance, "availability_policy"), "preemption").has_value();
}

void read_instance(const nlohmann::json& instance, MetadataFindings& findings) {
  // Only IBM names its resources like this. The name has the account in it and is not kept.
  const auto profile = word(text_at(object_at(instance, "profile"), "name").value_or(""));
  const auto zone = region_word(text_at(object_at(instance, "zone"), "name").value_or(""));
  if (!profile || !zone || !text_at(instance, "crn").value_or("").starts_with("crn:")) return;
  findings.validated = true;
  findings.set(PlatformField::instance_type, profile);
  findings.set(PlatformField::zone, zone);
  findings.set(PlatformField::region, region_of_dashed_zone(*zone));
  findings.set(PlatformField::instance_id, word(text_at(instance, "id").value_or("")));
  if (says_spot(instance)) findings.values[PlatformField::pricing_model] = "spot";
}

void ask_vpc(const MetadataContext& context, MetadataFindings& findings) {
  MetadataReader reader(context.client, "169.254.169.254");
  reader.send_always("Host", "api.metadata.cloud.ibm.com");
  std::string version;
  if (const auto token = take_token(reader, version)) {
    reader.send_always("Authorization", "Bearer " + *token);
    const auto instance = reader.get_json("/metadata/v1/instance?version=" + version);
    if (instance) read_instance(*instance, findings);
    if (instance && !findings.validated) reader.note("the metadata service does not answer as IBM's");
  }
  findings.problem = reader.problem();
}

/// A Xen machine with the file systems that its provisioning leaves behind.
std::string_view is_classic(const Evidence& evidence) {
  const bool xen = equals_text(evidence.firmware.sys_vendor, "Xen") || !evidence.hypervisor_uuid.empty();
  const bool drive = evidence.marked("/dev/disk/by-uuid/9796-932E");
  return drive || (xen && evidence.marked("/dev/disk/by-label/METADATA")) ? source::kFile : "";
}

void ask_classic(const MetadataContext& context, MetadataFindings& findings) {
  MetadataReader reader(context.client, "api.service.softlayer.com");
  reader.use_https();
  const auto place = reader.get_word("/rest/v3.1/SoftLayer_Resource_Metadata/getDatacenter.txt");
  const auto datacenter = region_word(place.value_or(""));
  if (datacenter) {
    findings.validated = true;
    findings.set(PlatformField::region, datacenter);
    const auto id = reader.get_word("/rest/v3.1/SoftLayer_Resource_Metadata/getId.txt");
    if (id && is_number(*id)) findings.set(PlatformField::instance_id, id);
  }
  findings.problem = reader.problem();
}

}  // namespace

PlatformRule ibm_vpc_rule() {
  PlatformRule rule;
  rule.slug = "ibm";
  rule.ask = ask_vpc;
  rule.blind = Blind::always;
  rule.no_pricing = "IBM's metadata does not tell how the machine is paid for";
  return rule;
}

PlatformRule ibm_classic_rule() {
  PlatformRule rule;
  rule.slug = "ibm";
  rule.recognized = is_classic;
  rule.ask = ask_classic;
  rule.no_type = "IBM's classic machines do not tell their type";
  rule.no_pricing = "IBM's classic machines do not tell how they are paid for";
  return rule;
}

}  // namespace gpuassay
