// Which platforms are known, in the order in which they are tried?
#pragma once

#include <string_view>
#include <vector>

#include "agent/platform/rule.h"

namespace gpuassay {

// What runs inside another provider's machine comes first: firmware would name that one.
PlatformRule vertex_rule();
PlatformRule azureml_rule();
PlatformRule sagemaker_rule();
PlatformRule vastai_rule();
PlatformRule runpod_rule();
PlatformRule kaggle_rule();
PlatformRule colab_rule();
PlatformRule gradient_rule();
PlatformRule jarvislabs_rule();
PlatformRule coreweave_rule();

PlatformRule azure_rule();
PlatformRule oracle_rule();
PlatformRule huawei_rule();
PlatformRule aws_rule();
PlatformRule gcp_rule();
PlatformRule alibaba_rule();
PlatformRule tencent_rule();
PlatformRule digitalocean_rule();
PlatformRule hetzner_rule();
PlatformRule scaleway_rule();
PlatformRule ibm_classic_rule();
PlatformRule ibm_vpc_rule();
PlatformRule baidu_rule();
PlatformRule nebius_rule();
PlatformRule lambda_rule();
PlatformRule paperspace_rule();
/// Vultr, Linode, UpCloud: named by firmware, asked nothing.
std::vector<PlatformRule> branded_vm_rules();
/// OVH and other clouds that are built on it; after those that are built on it and have a name of their own.
PlatformRule openstack_rule();
/// Crusoe, FluidStack, Genesis, TensorDock: nothing is known that shows them, so only the user can name them.
std::vector<PlatformRule> unmarked_rules();

const std::vector<PlatformRule>& platform_rules();
/// Null when there is none.
const PlatformRule* rule_of(std::string_view slug);

}  // namespace gpuassay
