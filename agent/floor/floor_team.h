// All devices of a verified run, each in a process of its own: a library that hangs or crashes there costs the
// verification and nothing else.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "agent/channel_process.h"
#include "agent/floor/device_attestation.h"
#include "agent/floor/floor_device.h"

namespace gpuassay {

struct FloorMember {
  FloorWork work;                                             ///< the shape is the device's to decide
  std::function<std::unique_ptr<FloorDevice>()> make_device;  ///< called in the device's process
  std::optional<AttestableDevice> attestable = {};            ///< of a GPU that NVML knows
};

/// The steps of the protocol for all members together, in this order. Each throws Error, one line that begins with the
/// device it is about, when one of them fails, ends, or takes longer than it may.
class FloorTeam {
 public:
  /// Starts the processes. Call it while this process has a single thread.
  explicit FloorTeam(const std::vector<FloorMember>& members);

  /// Returns when all could begin: what each will do, in the order of the members.
  std::vector<FloorWork> get_ready(std::chrono::milliseconds limit);
  /// Lets all work for the challenge's time, and returns what they commit themselves to.
  FloorCommitment work(const FloorChallenge& challenge);
  /// In the order of the draws.
  FloorOpenings open(const std::vector<FloorDraw>& draws, std::chrono::milliseconds limit);

 private:
  struct Process {
    explicit Process(const FloorMember& member);
    FloorWork work;
    ChannelProcess process;
  };
  /// One message from each, in order.
  std::vector<std::string> hear_all(std::chrono::milliseconds limit);

  std::list<Process> processes_;
};

}  // namespace gpuassay
