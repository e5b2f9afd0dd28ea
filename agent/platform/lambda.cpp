// Lambda: no metadata service; only the guest agent that its images may run is a certain sign. The Lambda Stack
// packages are not: they are on private machines too.
#include "agent/platform/rules.h"

namespace gpuassay {
namespace {

std::string_view recognize_lambda(const Evidence& evidence) {
  return evidence.marked("/etc/lambda/guest-agent") ? source::kFile : "";
}

}  // namespace

PlatformRule lambda_rule() {
  PlatformRule rule;
  rule.slug = "lambda";
  rule.recognized = recognize_lambda;
  rule.no_type = "Lambda does not tell the machine's type inside; GPU model and count stand for it";
  rule.no_region = "Lambda does not tell the region inside";
  rule.no_pricing = "Lambda does not tell how the machine is paid for";
  rule.no_id = "Lambda does not tell the machine's id inside";
  return rule;
}

}  // namespace gpuassay
