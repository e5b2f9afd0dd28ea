// Clouds that firmware names and that are asked nothing: their metadata has no type, and keys and user data beside the
// region.
#include "agent/platform/rules.h"
#include "agent/platform/words.h"

namespace gpuassay {
namespace {

constexpr std::string_view kNotAsked = "this platform's metadata service is not asked";

std::string_view is_vultr(const Evidence& evidence) {
  if (equals_text(evidence.firmware.sys_vendor, "Vultr")) return source::kFirmware;
  return evidence.kernel_words.contains("vultr") || evidence.marked("/etc/vultr") ? source::kFile : "";
}

std::string_view is_linode(const Evidence& evidence) {
  const std::string& vendor = evidence.firmware.sys_vendor;
  return equals_text(vendor, "Linode") || equals_text(vendor, "Akamai") ? source::kFirmware : "";
}

std::string_view is_upcloud(const Evidence& evidence) {
  return equals_text(evidence.firmware.sys_vendor, "UpCloud") ? source::kFirmware : "";
}

PlatformRule branded(std::string_view slug, std::string_view (*recognized)(const Evidence&)) {
  PlatformRule rule;
  rule.slug = slug;
  rule.recognized = recognized;
  rule.no_type = rule.no_region = rule.no_pricing = rule.no_id = kNotAsked;
  return rule;
}

}  // namespace

std::vector<PlatformRule> branded_vm_rules() {
  return {branded("vultr", is_vultr), branded("linode", is_linode), branded("upcloud", is_upcloud)};
}

}  // namespace gpuassay
