// A small but complete Result for tests: one CPU device, every kind of measurement, literal numbers.
#pragma once

#include "core/model.h"

namespace gpuassay::test {

/// An ok burst measurement of `params` whose samples are all `sample_ns`.
Measurement ok_measurement(const OperationParams& params, std::vector<double> samples_ns, int device = 0);

/// The triad, and those operations of the score's networks in `dtype` that `standard` would measure first, on a device
/// of so many FLOPs and bytes in a nanosecond: each takes as long as its FLOPs or its operands, whichever is longer.
std::vector<Measurement> network_measurements(double flops_per_ns, double bytes_per_ns, int device = 0,
                                              DType dtype = DType::fp32);

Device cpu_device(int index = 0);

/// Passes the schema and survives a round trip; status complete.
Result example_result();

}  // namespace gpuassay::test
