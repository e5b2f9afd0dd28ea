// Managed machine learning: SageMaker, Vertex AI, Azure ML. Each has a price list of its own above the cloud it stands
// on.
#include <nlohmann/json.hpp>

#include "agent/platform/metadata_reader.h"
#include "agent/platform/rules.h"
#include "agent/platform/words.h"
#include "core/error.h"
#include "core/json_guard.h"

namespace gpuassay {
namespace {

nlohmann::json document_or_null(const std::string& text) {
  try {
    return parse_untrusted_json(text, {std::size_t{64} << 10U, 16, 2'000, 4096});
  } catch (const Error&) {  // damaged: as if it were not there
    return nullptr;
  }
}

std::string_view is_sagemaker(const Evidence& evidence) {
  if (evidence.has("SM_CURRENT_INSTANCE_TYPE")) return source::kVariable;
  if (evidence.has("TRAINING_JOB_NAME") && evidence.marked("/opt/ml")) return source::kVariable;
  const bool training = text_at(document_or_null(evidence.sagemaker_resources), "current_host").has_value();
  const auto arn = text_at(document_or_null(evidence.sagemaker_metadata), "ResourceArn");
  return training || arn.value_or("").starts_with("arn:") ? source::kFile : "";
}

std::optional<std::string> ml_type(const std::optional<std::string>& text) {
  auto type = text ? word(*text) : std::nullopt;
  return type && type->starts_with("ml.") ? type : std::nullopt;
}

/// "arn:aws:sagemaker:REGION:ACCOUNT:...": the fourth field.
std::optional<std::string> region_of_arn(std::string_view arn) {
  for (int field = 0; field < 3; ++field) {
    const std::size_t colon = arn.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    arn.remove_prefix(colon + 1);
  }
  return region_word(arn.substr(0, arn.find(':')));
}

void tell_sagemaker(const Evidence& evidence, PlatformFacts& facts) {
  if (const auto type = ml_type(std::string(evidence.value("SM_CURRENT_INSTANCE_TYPE"))))
    facts.add(PlatformField::instance_type, *type, source::kVariable);
  if (const auto type = ml_type(text_at(document_or_null(evidence.sagemaker_resources), "current_instance_type")))
    facts.add(PlatformField::instance_type, *type, source::kFile);
  for (const std::string_view name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (const auto region = region_word(evidence.value(name)))
      facts.add(PlatformField::region, *region, source::kVariable);
  }
  const auto arn = text_at(document_or_null(evidence.sagemaker_metadata), "ResourceArn");
  if (!arn) return;
  if (const auto region = region_of_arn(*arn)) facts.add(PlatformField::region, *region, source::kFile);
  // Notebooks do not say their type, but their EC2 machine does.
  if (equals_text(evidence.firmware.sys_vendor, "Amazon EC2")) {
    if (const auto type = ml_type("ml." + evidence.firmware.product_name))
      facts.add(PlatformField::instance_type, *type, source::kDerived);
  }
}

std::string_view is_vertex(const Evidence& evidence) {
  const std::string_view product = evidence.value("VERTEX_PRODUCT");
  // Project and region alone are also set by people who call models from a laptop.
  const bool vertex = product == "COLAB_ENTERPRISE" || product == "WORKBENCH_INSTANCE" ||
                      (evidence.has("CLOUD_ML_JOB_ID") && evidence.has("CLOUD_ML_PROJECT_ID"));
  return vertex ? source::kVariable : "";
}

void tell_vertex(const Evidence& evidence, PlatformFacts& facts) {
  if (const auto region = region_word(evidence.value("CLOUD_ML_REGION")))
    facts.add(PlatformField::region, *region, source::kVariable);
}

std::string_view is_azureml(const Evidence& evidence) {
  return evidence.has("AZUREML_RUN_ID") ? source::kVariable : "";
}

PlatformRule managed(std::string_view slug) {
  PlatformRule rule;
  rule.slug = slug;
  rule.inside_another = true;
  return rule;
}

}  // namespace

PlatformRule sagemaker_rule() {
  PlatformRule rule = managed("sagemaker");
  rule.recognized = is_sagemaker;
  rule.tell = tell_sagemaker;
  rule.no_pricing = "managed spot training is not visible inside the job";
  rule.no_id = "SageMaker tells no machine's id inside the job";
  return rule;
}

PlatformRule vertex_rule() {
  PlatformRule rule = managed("vertex");
  rule.recognized = is_vertex;
  rule.tell = tell_vertex;
  rule.asks_as = "gcp";
  return rule;
}

PlatformRule azureml_rule() {
  PlatformRule rule = managed("azureml");
  rule.recognized = is_azureml;
  rule.asks_as = "azure";
  return rule;
}

}  // namespace gpuassay
