// What feeds the devices of an instance: memory, processors, disk and network. Pure.
#pragma once

#include <optional>
#include <vector>

#include "core/model.h"

namespace gpuassay {

/// Adds the figures of measurements that are ok and of the instance as a whole, or of its CPU where that is a device:
/// memory is the triad in main memory, of the CPU kernels fma and gemm the best. disk_to_device is that of the slowest
/// GPU that was loaded.
void add_host_figures(const std::vector<Device>& devices, const std::vector<Measurement>& measurements,
                      DeviceSummary& instance);

/// One of the instance's figures in a burst; empty where there is none.
std::optional<double> host_figure(const std::map<std::string, RegimeValues>& figures, const std::string& name);

/// Seconds until `bytes` from the disk are in the memory of a GPU, or of the host where there is no GPU; empty without
/// a figure.
std::optional<double> load_s(const DeviceSummary& instance, double bytes);

}  // namespace gpuassay
