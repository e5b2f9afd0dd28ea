#include "agent/report_instance.h"

#include <gtest/gtest.h>

namespace gpuassay {
namespace {

InstanceWorkload row(const char* name, WorkloadClass workload_class, const char* precision) {
  InstanceWorkload made;
  made.name = name;
  made.workload_class = workload_class;
  made.precision = precision;
  return made;
}

std::string lines_of(const std::vector<InstanceWorkload>& rows) {
  Result result;
  result.summary.instance.workloads = rows;
  const TextStyle style;
  TextPage page(style);
  add_instance_lines(page, result);
  return page.take();
}

TEST(ReportInstance, ShowsTrainingInMixedPrecision) {
  InstanceWorkload known = row("resnet50_train", WorkloadClass::train, "fp16");
  known.samples_per_s = 9876;
  known.low = 8000;
  known.high = 11000;
  known.scaling_efficiency = 0.914;
  known.exposed_communication_share = 0.0231;
  InstanceWorkload full = known;
  full.precision = "fp32";
  full.samples_per_s = 1234;
  InstanceWorkload served = row("llm_prefill", WorkloadClass::prefill, "fp16");
  served.samples_per_s = 4321;
  EXPECT_EQ(lines_of({full, known, served}),
            "  together   resnet50_train fp16:  9876 images/s  (8000 to 11000)\n"
            "             91 % of each alone, 2.3 % waiting for gradients\n");
  EXPECT_EQ(lines_of({}), "");
}

TEST(ReportInstance, SaysOnceWhyItIsUnknown) {
  InstanceWorkload first = row("resnet50_train", WorkloadClass::train, "fp16");
  first.reason = "no all-reduce was measured";
  InstanceWorkload second = first;
  second.name = "gpt_train";
  EXPECT_EQ(lines_of({first, second}), "  together   training unknown: no all-reduce was measured\n");
}

}  // namespace
}  // namespace gpuassay
