// Clouds that only ever rent out pods: CoreWeave. What a pod can see of it without rights on the cluster is little.
#include "agent/platform/layers.h"
#include "agent/platform/rules.h"

namespace gpuassay {
namespace {

/// The variable is known from one project alone, so it counts only inside Kubernetes.
std::string_view recognize_kubernetes_clouds(const Evidence& evidence) {
  return evidence.has("COREWEAVE_NODE_NAME") && in_kubernetes(evidence) ? source::kVariable : "";
}

}  // namespace

PlatformRule coreweave_rule() {
  PlatformRule rule;
  rule.slug = "coreweave";
  rule.inside_another = true;
  rule.recognized = recognize_kubernetes_clouds;
  rule.no_type = rule.no_region =
      "only labels of the Kubernetes node tell it; pass them into the pod as GPUASSAY_INSTANCE_TYPE and "
      "GPUASSAY_REGION";
  rule.no_pricing = "it depends on the contract; say it with GPUASSAY_PRICING_MODEL";
  rule.no_id = "only labels of the Kubernetes node tell it";
  return rule;
}

}  // namespace gpuassay
