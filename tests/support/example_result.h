// A small but complete Result for tests: one CPU device, every kind of measurement, literal numbers.
#pragma once

#include "core/model.h"

namespace gpuassay::test {

/// An ok burst measurement of `params` whose samples are all `sample_ns`.
Measurement ok_measurement(const OperationParams& params, std::vector<double> samples_ns, int device = 0);

/// Every operation that resnet50_train needs plus the triad, each taking `op_ns`, the triad `triad_ns`.
std::vector<Measurement> resnet50_measurements(std::int64_t batch, double op_ns, double triad_ns, int device = 0);

Device cpu_device(int index = 0);

/// Passes the schema and survives a round trip; status complete.
Result example_result();

}  // namespace gpuassay::test
