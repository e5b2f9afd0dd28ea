// What do firmware, environment and files of this machine say about who rents it out? Reads only; concludes nothing.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "agent/system_root.h"

namespace gpuassay {

/// Variables by name; those that hold a secret are there with an empty value.
using PlatformVariables = std::map<std::string, std::string, std::less<>>;

/// Of "NAME=value" texts the ones that tell something about the platform; nothing else of the environment is kept.
PlatformVariables platform_variables(const char* const* environment);

/// Strings of /sys/class/dmi/id; empty where absent, unreadable or a placeholder of the board's maker.
struct Firmware {
  std::string sys_vendor, product_name, bios_vendor, bios_version, board_asset_tag, chassis_asset_tag;
  std::string product_uuid, product_serial;  ///< readable by root only; raw ids
};

struct Evidence {
  Firmware firmware;
  std::string hypervisor_uuid;               ///< /sys/hypervisor/uuid, of Xen
  PlatformVariables variables;               ///< the process' own, else of process 1, else of /etc/environment
  std::set<std::string, std::less<>> marks;  ///< files and directories that are there, of those that mean something
  std::string sagemaker_resources, sagemaker_metadata;  ///< texts of SageMaker's two JSON files
  std::string host_name;                                ///< never leaves; some platforms have a part in it
  std::set<std::string, std::less<>> kernel_words;      ///< of the kernel command line: "scaleway" and the like
  std::string container;                                ///< as host.container; empty when unknown

  [[nodiscard]] bool has(std::string_view variable) const { return variables.contains(variable); }
  [[nodiscard]] bool marked(std::string_view path) const { return marks.contains(path); }
  /// The variable's value; empty when unset.
  [[nodiscard]] std::string_view value(std::string_view variable) const;
  /// A virtual machine whose firmware names no cloud.
  [[nodiscard]] bool unbranded_vm() const;
};

Evidence read_evidence(const SystemRoot& root, const PlatformVariables& own_variables);

}  // namespace gpuassay
