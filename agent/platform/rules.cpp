#include "agent/platform/rules.h"

#include <algorithm>

namespace gpuassay {

const std::vector<PlatformRule>& platform_rules() {
  static const std::vector<PlatformRule> kRules = [] {
    std::vector<PlatformRule> rules{vertex_rule(),     azureml_rule(),      sagemaker_rule(), vastai_rule(),
                                    runpod_rule(),     kaggle_rule(),       colab_rule(),     gradient_rule(),
                                    jarvislabs_rule(), coreweave_rule(),    azure_rule(),     oracle_rule(),
                                    huawei_rule(),     aws_rule(),          gcp_rule(),       alibaba_rule(),
                                    tencent_rule(),    digitalocean_rule(), hetzner_rule(),   scaleway_rule()};
    for (PlatformRule& rule : branded_vm_rules()) rules.push_back(rule);
    rules.insert(rules.end(), {ibm_classic_rule(), ibm_vpc_rule(), baidu_rule(), nebius_rule(), lambda_rule(),
                               paperspace_rule(), openstack_rule()});
    for (PlatformRule& rule : unmarked_rules()) rules.push_back(rule);
    return rules;
  }();
  return kRules;
}

const PlatformRule* rule_of(std::string_view slug) {
  // IBM has two kinds of machines under one slug; the one with a service of its own answers to it.
  const PlatformRule* last = nullptr;
  for (const PlatformRule& rule : platform_rules()) {
    if (rule.slug == slug) last = &rule;
  }
  return last;
}

}  // namespace gpuassay
