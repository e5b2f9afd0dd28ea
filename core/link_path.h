// How is the way between two GPUs called? In the words of `nvidia-smi topo`.
#pragma once

#include <optional>
#include <string>

#include "core/model.h"

namespace gpuassay {

/// "NV12": so many NVLinks. Without one the nearest thing that the PCIe paths share: "PSB" (one board), "PIX" (a
/// switch), "PXB" (several), "PHB" (a host bridge), "NODE", "SYS". Empty where it is not known whether there are
/// NVLinks, or without them what PCIe shares.
std::optional<std::string> link_path(const DeviceLink& link);

}  // namespace gpuassay
