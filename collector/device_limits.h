// What can a device not do, whatever it says of itself? By the reviewed tables, not by the document. Pure.
#pragma once

#include <string>
#include <vector>

#include "core/gpu_specs.h"
#include "core/model.h"

namespace gpuassay {

/// Appends a reason "device_differs: ..." where memory, multiprocessors, compute capability or telemetry limits are not
/// those of the card that the name says. Cards that the table does not know, MIG slices and vGPUs are not compared.
void check_device(const Device& device, std::vector<std::string>& reasons);

/// What the tables say of a device; looked up once for all its measurements.
struct CardLimits {
  const GpuSpec* spec = nullptr;  ///< null where nothing can be compared
  TheoreticalPeak peak;
};

CardLimits card_limits(const Device& device);

/// Appends "above_peak: ..." or "beyond_physics: ..." for a normalized measurement that is faster than the device can
/// be, and "device_differs: ..." for clocks, power or temperatures that no such card has.
void check_physics(const Measurement& measurement, const Device& device, const CardLimits& card,
                   std::vector<std::string>& reasons);

}  // namespace gpuassay
