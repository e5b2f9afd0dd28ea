// The platform as the commands use it: looked for beside the GPUs, put into the inventory, completed when it comes
// late.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "agent/environment.h"
#include "agent/inventory.h"
#include "agent/platform/detection.h"
#include "core/model.h"

namespace gpuassay {

class PlatformStage {
 public:
  /// Starts looking. Throws Error for a flag that cannot be used. Call while there is one thread. `network_wait`: as in
  /// DetectionInputs.
  PlatformStage(const Environment& environment, const PlatformFlags& flags, MetadataUse use, IdentifierHash hash,
                std::chrono::seconds network_wait = {});

  /// Puts in what is known now; does not wait.
  void put_into(Inventory& inventory);
  /// Waits as long as metadata services may take, then puts in everything.
  void wait_and_put_into(Inventory& inventory);
  /// Completes a result that was begun before all was known; false when nothing has changed since. Waits until
  /// `deadline` at most, and no longer once `stop_fd` is readable.
  bool complete(Result& begun, std::chrono::steady_clock::time_point deadline, int stop_fd);

  /// Where the end of this machine is announced; null when nobody watches for that.
  NoticePipe* notices() { return detection_.notices(); }
  /// What the user said outside the command line and cannot be used.
  [[nodiscard]] const std::vector<std::string>& refused() const { return detection_.refused(); }

 private:
  void put(Platform& platform, std::vector<Unknown>& unknown) const;

  PlatformDetection detection_;
  IdentifierHash hash_;
  bool complete_ = false;
};

}  // namespace gpuassay
