// How far do the devices of one instance differ from each other? Pure.
#pragma once

#include <vector>

#include "core/model.h"

namespace gpuassay {

/// One entry for every figure of every regime that all of at least two devices have. `spread` is largest less smallest
/// over the median (the median of an even number is the mean of the middle two); `slowest_device` has the lowest
/// figure, of latencies the highest.
std::vector<DeviceSpread> device_spreads(const std::vector<DeviceSummary>& devices);

}  // namespace gpuassay
