// Which facts of the inventory are missing, and why? Every null of the result document must be explained.
#pragma once

#include <string>
#include <vector>

#include "core/model.h"

namespace gpuassay {

/// Reasons for the host facts that have more than one; empty where the fact is there.
struct HostReasons {
  std::string cpu_model, virtualization, container;
};

/// One entry per absent fact of host and platform, and per absent field of every device of kind `cpu`.
/// Paths are JSON pointers into the result document.
std::vector<Unknown> unknown_fields(const Host& host, const HostReasons& reasons, const std::vector<Device>& devices);

}  // namespace gpuassay
