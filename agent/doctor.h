// What is missing on this machine for a measurement, and what is the exact remedy? Facts go in, checks come out: pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/driver_remedy.h"
#include "agent/inventory.h"
#include "agent/probe/device_nodes.h"
#include "core/model.h"

namespace gpuassay {

enum class CheckState {
  ok,
  missing,  ///< it is not there
  broken,   ///< it is there and cannot be used
  none,     ///< nothing to check on this machine
};

/// "ok", "missing", "broken", "none".
std::string_view name_of(CheckState state);

/// One line of the answer.
struct Check {
  std::string name;  ///< "gpu", "driver", "device_files", "cublas", "cudnn", "nvml", "onednn", "data_dir"
  CheckState state = CheckState::ok;
  std::string what;  ///< what was found, or what is wrong and what it costs
  Remedy remedy;     ///< empty when there is nothing to do
};

/// Everything that was looked at.
struct DoctorFacts {
  Machine machine;                      ///< of DeviceChoice `automatic`
  std::vector<std::string> on_pci_bus;  ///< nvidia_pci_devices()
  DeviceNodes nodes;
  Library onednn;
  std::string os_id, os_like;    ///< of os-release; empty = unknown
  std::string data_dir;          ///< as shown to the user
  std::string data_dir_problem;  ///< why nothing can be saved there, with the remedy; empty when it can
};

struct Diagnosis {
  std::vector<Check> checks;
  std::optional<DeviceKind> measures;  ///< what `gpuassay run` measures here; empty when it cannot measure
  int exit_code = 0;                   ///< 3 when nothing is measurable, else 6 when nothing can be saved, else 0
};

Diagnosis diagnose(const DoctorFacts& facts);

}  // namespace gpuassay
