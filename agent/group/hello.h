// What does a process of a group tell rank 0 of itself?
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "agent/group/launch.h"
#include "agent/inventory.h"
#include "core/model.h"

namespace gpuassay {

struct Hello {
  int rank = 0, ranks = 0;
  std::string job, version, commit;
  std::string machine;  ///< the same for the ranks of one machine; for grouping only, in no document
  Host host;
  std::optional<Device> device;               ///< empty where there is a problem
  std::optional<std::string> problem;         ///< why this rank can measure nothing
  std::optional<std::string> no_collectives;  ///< why it cannot take part in them
  std::int64_t free_bytes = 0;                ///< of the device
};

/// Of a machine whose only device is this rank's, or that has none.
Hello hello_of(const Launch& launch, const Machine& machine, const Environment& environment);

nlohmann::json to_json(const Hello& hello);
/// Throws Error{unreadable_input} for anything that is no hello.
Hello hello_from_json(const nlohmann::json& message);

/// The GPU of this rank alone stays in `machine`: the one with number `local_rank`, or the only one that the launcher
/// left visible. Without it machine.problem says so.
void keep_own_device(Machine& machine, const Launch& launch);

}  // namespace gpuassay
