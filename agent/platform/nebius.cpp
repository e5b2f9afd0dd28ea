// Nebius (docs.nebius.com "Instance metadata"; its own agent falls back to the literal address, leptonai/gpud). No
// firmware string is known.
#include <nlohmann/json.hpp>

#include "agent/platform/metadata_reader.h"
#include "agent/platform/rules.h"
#include "agent/platform/words.h"

namespace gpuassay {
namespace {

/// Only older images have the folder; a token lies there too, which nothing reads.
std::string_view recognize_nebius(const Evidence& evidence) {
  return evidence.marked("/mnt/cloud-metadata/parent-id") ? source::kFile : "";
}

void read_instance(const nlohmann::json& instance, MetadataFindings& findings) {
  const auto id = word(text_at(instance, "id").value_or(""));
  const auto platform = word(text_at(instance, "platform").value_or(""));
  const auto preset = word(text_at(instance, "preset").value_or(""));
  if (!id || !id->starts_with("computeinstance-") || !platform || !preset) return;
  findings.validated = true;
  findings.set(PlatformField::instance_id, id);
  findings.set(PlatformField::instance_type, *platform + "/" + *preset);  // both have a price only together
  findings.set(PlatformField::region, region_word(text_at(instance, "region").value_or("")));
}

void ask_nebius(const MetadataContext& context, MetadataFindings& findings) {
  // The name is what the documents promise; the literal address needs no name server, which may not answer elsewhere.
  constexpr std::string_view kName = "metadata.nebius.internal", kLiteral = "169.254.169.254";
  for (const bool by_name : {context.known, !context.known}) {
    MetadataReader reader(context.client, by_name ? kName : kLiteral);
    reader.send_always("Metadata", "true");
    const auto instance = reader.get_json("/v1/instance-data");
    if (instance) read_instance(*instance, findings);
    if (instance && !findings.validated) reader.note("the metadata service does not answer as Nebius'");
    findings.problem = reader.problem();
    if (findings.validated) return;
  }
}

}  // namespace

PlatformRule nebius_rule() {
  PlatformRule rule;
  rule.slug = "nebius";
  rule.recognized = recognize_nebius;
  rule.ask = ask_nebius;
  rule.blind = Blind::always;
  rule.no_pricing = "Nebius' metadata does not tell preemptible machines from others";
  return rule;
}

}  // namespace gpuassay
