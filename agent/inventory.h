// The first stage as the commands use it: probe the machine, find the libraries, choose the devices.
#pragma once

#include <string>

#include "agent/environment.h"
#include "core/model.h"

namespace gpuassay {

/// probe() below the environment's system root, plus libraries[].
Inventory take_inventory(const Environment& environment);

/// Throws Error{nothing_measurable} with the remedy when `device` ("auto" or "cpu") cannot be measured: the PCI bus
/// shows an NVIDIA GPU that "auto" must not replace by the CPU, or there is no usable oneDNN.
void require_measurable(const Inventory& inventory, const std::string& device, const Environment& environment);

}  // namespace gpuassay
