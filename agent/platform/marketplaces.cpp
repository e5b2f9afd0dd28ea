// Containers on other people's machines: Vast.ai, RunPod, Jarvislabs. Firmware and link-local metadata there are the
// owner's, so nothing but the environment counts and nobody is asked.
#include "agent/platform/rules.h"
#include "agent/platform/words.h"

namespace gpuassay {
namespace {

constexpr std::string_view kNoType = "a marketplace without machine types: GPU model and count are what has a price";
constexpr std::string_view kPricingUnseen =
    "whether the machine is interruptible is not visible in the container; say it with --pricing-model";

std::string_view is_vastai(const Evidence& evidence) {
  if (evidence.has("VAST_CONTAINERLABEL") || evidence.has("VAST_TCP_PORT_") ||
      (evidence.has("CONTAINER_ID") && evidence.has("CONTAINER_API_KEY")))
    return source::kVariable;
  int files = 0;
  for (const std::string_view file :
       {"/root/.vast_containerlabel", "/etc/.vast_containerlabel", "/.vast_containerlabel", "/root/.vast_api_key"}) {
    if (evidence.marked(file)) ++files;
  }
  // One file may have been left behind by Vast's own command-line tool.
  return files >= 2 || (files == 1 && evidence.has("CONTAINER_ID")) ? source::kFile : "";
}

void tell_vastai(const Evidence& evidence, PlatformFacts& facts) {
  std::string_view id = evidence.value("CONTAINER_ID");
  if (!is_number(id)) {
    id = evidence.value("VAST_CONTAINERLABEL");
    if (id.starts_with("C.")) id.remove_prefix(2);
  }
  if (is_number(id) && word(id)) facts.add(PlatformField::instance_id, std::string(id), source::kVariable);
}

std::string_view is_runpod(const Evidence& evidence) {
  const bool enough =
      evidence.has("RUNPOD_POD_ID") || (evidence.has("RUNPOD_DC_ID") && evidence.has("RUNPOD_POD_HOSTNAME"));
  return enough ? source::kVariable : "";
}

void tell_runpod(const Evidence& evidence, PlatformFacts& facts) {
  // The price list spells it "CA-MTL-1".
  if (const auto region = word(evidence.value("RUNPOD_DC_ID")))
    facts.add(PlatformField::region, *region, source::kVariable);
  if (const auto id = word(evidence.value("RUNPOD_POD_ID")))
    facts.add(PlatformField::instance_id, *id, source::kVariable);
  if (evidence.has("RUNPOD_ENDPOINT_ID"))
    facts.reasons[PlatformField::pricing_model] = "a serverless worker, which has a price of its own kind";
}

std::string_view is_jarvislabs(const Evidence& evidence) {
  const bool both = evidence.marked("/home/jl_fs") && contains_text(evidence.host_name, "jarvislabs");
  return both ? source::kFile : "";
}

PlatformRule marketplace(std::string_view slug) {
  PlatformRule rule;
  rule.slug = slug;
  rule.inside_another = true;
  rule.no_type = kNoType;
  rule.no_pricing = kPricingUnseen;
  return rule;
}

}  // namespace

PlatformRule vastai_rule() {
  PlatformRule rule = marketplace("vastai");
  rule.recognized = is_vastai;
  rule.tell = tell_vastai;
  rule.no_region = "Vast.ai tells no place inside the container";
  return rule;
}

PlatformRule runpod_rule() {
  PlatformRule rule = marketplace("runpod");
  rule.recognized = is_runpod;
  rule.tell = tell_runpod;
  rule.no_region = "RUNPOD_DC_ID is not set, as on community machines";
  return rule;
}

PlatformRule jarvislabs_rule() {
  PlatformRule rule = marketplace("jarvislabs");
  rule.recognized = is_jarvislabs;
  rule.no_region = "Jarvislabs tells no place inside the container";
  rule.no_id = "Jarvislabs tells no machine's id inside the container";
  return rule;
}

}  // namespace gpuassay
