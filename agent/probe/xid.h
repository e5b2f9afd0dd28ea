// Which errors did the NVIDIA driver log while a run went on? "NVRM: Xid (PCI:0000:3b:00): 79, ..." in the kernel's
// log, which only root may read on most systems.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/file_descriptor.h"
#include "agent/system_root.h"

namespace gpuassay {

struct Xid {
  std::string pci_bus;  ///< "0000:3b:00", lower case
  int number = 0;
};

/// Of all lines of a kernel log, in order.
std::vector<Xid> parse_xids(std::string_view log);

/// Whether `xid` is of the device at this PCI address ("0000:3B:00.0").
bool concerns(const Xid& xid, std::string_view pci_bus_id);

/// The kernel's log from now on. Never blocks and never throws.
class KernelLog {
 public:
  explicit KernelLog(const SystemRoot& root);
  /// What was logged since; empty where the log may not be read.
  [[nodiscard]] std::optional<std::vector<Xid>> xids() const;

 private:
  FileDescriptor log_;
};

}  // namespace gpuassay
