// From raw samples to figures: everything a reader of the document can recompute. Pure.
#pragma once

#include <vector>

#include "core/model.h"

namespace gpuassay {

/// `raw` with median_ns, noise, metric and fraction_of_peak derived from samples_ns (and the device's theoretical
/// peak, when one is known). A case that is not ok keeps its samples but has no metric. Figures are rounded to six
/// significant digits, noise to four.
Measurement normalize(Measurement raw, const Device* device);

/// normalize() for every measurement, its device looked up by index.
std::vector<Measurement> normalize_all(std::vector<Measurement> raw, const std::vector<Device>& devices);

/// One measurement per operation, in the order first seen: the samples of a repeat that is ok are pooled with those of
/// the first time (thinned to the larger of the two counts, so that both weigh about the same; of two algorithms the
/// faster one's are kept), the seconds added, the larger verification error kept; a repeat that computed wrong values
/// makes the operation wrong; one that failed or was skipped takes nothing from what was measured before.
std::vector<Measurement> pool_repeats(std::vector<Measurement> raw);

/// Headline figures from normalized measurements that are ok. Per dtype: GEMM is the best of the square shapes,
/// convolution the ResNet-50 layers as one network (their FLOPs times count over their time times count; only when
/// all directions of all layers are there), bandwidth by kernel for dram and pinned transfers, "h2d_pageable" and so on
/// for pageable ones and "l1".."l3" (best kernel) for caches, compute the best unit, latency the lowest. The instance
/// sums its devices, and its latency is that of its slowest device; a figure that not every device has is null there.
/// It alone has what feeds the devices (core/host_figures.h) and what they do together (core/instance_workloads.h).
Summary summarize(const std::vector<Device>& devices, const std::vector<Measurement>& measurements);

}  // namespace gpuassay
