#include "agent/platform/layers.h"

#include <algorithm>

namespace gpuassay {

bool in_kubernetes(const Evidence& evidence) {
  return evidence.container == "kubernetes" || evidence.has("KUBERNETES_SERVICE_HOST") ||
         evidence.marked("/run/secrets/kubernetes.io/serviceaccount") ||
         evidence.marked("/var/run/secrets/kubernetes.io/serviceaccount");
}

std::vector<std::string> host_layers(const Evidence& evidence) {
  std::vector<std::string> layers;
  if (!evidence.container.empty() && evidence.container != "kubernetes") {
    std::string name = evidence.container == "unknown" ? "container" : evidence.container;
    std::replace(name.begin(), name.end(), '-', '_');
    layers.push_back(name);
  }
  if (in_kubernetes(evidence)) layers.emplace_back("kubernetes");
  if (evidence.has("SLURM_JOB_ID") || evidence.has("SLURM_JOB_NODELIST")) layers.emplace_back("slurm");
  return layers;
}

}  // namespace gpuassay
