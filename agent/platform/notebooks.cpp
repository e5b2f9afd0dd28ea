// Hosted notebooks: Google Colab, Kaggle, Paperspace Gradient. Colab and Kaggle stand on Google's machines, whose
// firmware would say gcp.
#include "agent/platform/rules.h"
#include "agent/platform/words.h"

namespace gpuassay {
namespace {

constexpr std::string_view kNoType = "hosted notebooks are named by their accelerator";

std::string_view is_kaggle(const Evidence& evidence) {
  return evidence.has("KAGGLE_KERNEL_RUN_TYPE") || evidence.has("KAGGLE_URL_BASE") ? source::kVariable : "";
}

/// Kaggle rents nothing out.
void tell_kaggle(const Evidence& /*evidence*/, PlatformFacts& facts) {
  facts.add(PlatformField::pricing_model, "free", source::kDerived);
}

std::string_view is_colab(const Evidence& evidence) {
  const bool colab = evidence.has("COLAB_RELEASE_TAG") || evidence.has("COLAB_BACKEND_VERSION") ||
                     evidence.has("COLAB_JUPYTER_IP") || evidence.has("COLAB_GPU");
  return colab ? source::kVariable : "";
}

std::string_view is_gradient(const Evidence& evidence) {
  const bool gradient = evidence.has("PAPERSPACE_METRIC_WORKLOAD_ID") || evidence.has("PAPERSPACE_CLUSTER_ID") ||
                        evidence.has("PAPERSPACE_FQDN");
  return gradient ? source::kVariable : "";
}

void tell_gradient(const Evidence& evidence, PlatformFacts& facts) {
  if (const auto id = word(evidence.value("PAPERSPACE_METRIC_WORKLOAD_ID")))
    facts.add(PlatformField::instance_id, *id, source::kVariable);
}

PlatformRule notebook(std::string_view slug) {
  PlatformRule rule;
  rule.slug = slug;
  rule.inside_another = true;
  rule.no_type = kNoType;
  rule.no_region = "hosted notebooks tell no place";
  rule.no_id = "hosted notebooks tell no machine's id";
  return rule;
}

}  // namespace

PlatformRule kaggle_rule() {
  PlatformRule rule = notebook("kaggle");
  rule.recognized = is_kaggle;
  rule.tell = tell_kaggle;
  return rule;
}

PlatformRule colab_rule() {
  PlatformRule rule = notebook("colab");
  rule.recognized = is_colab;
  rule.no_pricing = "whether the runtime is free or paid in compute units is not visible";
  return rule;
}

PlatformRule gradient_rule() {
  PlatformRule rule = notebook("gradient");
  rule.recognized = is_gradient;
  rule.tell = tell_gradient;
  rule.no_pricing = "whether the notebook is free or paid by the hour is not visible";
  return rule;
}

}  // namespace gpuassay
