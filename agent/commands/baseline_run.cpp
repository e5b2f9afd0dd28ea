#include "agent/commands/baseline_run.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "core/error.h"
#include "core/result_json.h"

namespace gpuassay {
namespace {

constexpr std::size_t kMostRead = 100;

bool same_device(const Device& a, const Device& b) {
  return a.index == b.index && a.kind == b.kind && a.name == b.name && a.memory_bytes == b.memory_bytes &&
         a.uuid_hash == b.uuid_hash;
}

}  // namespace

bool is_of_this_machine(const Result& earlier, const Result& now) {
  const auto& [then_id, now_id] = std::tie(earlier.platform.instance_id_hash, now.platform.instance_id_hash);
  return earlier.status == RunStatus::complete && earlier.agent.version == now.agent.version &&
         earlier.simulated == now.simulated && earlier.host.cpu_model == now.host.cpu_model &&
         earlier.host.logical_cpus == now.host.logical_cpus && (!then_id || !now_id || then_id == now_id) &&
         std::equal(earlier.devices.begin(), earlier.devices.end(), now.devices.begin(), now.devices.end(),
                    same_device);
}

std::optional<Result> newest_run_of_this_machine(const std::optional<Spool>& spool, const Result& now) {
  if (!spool) return std::nullopt;
  try {
    std::vector<std::string> names = spool->list(".json");
    std::reverse(names.begin(), names.end());
    names.resize(std::min(names.size(), kMostRead));
    for (const std::string& name : names) {
      const auto body = spool->read(name);
      if (!body) continue;
      try {
        Result earlier = parse_result(*body);
        if (is_of_this_machine(earlier, now)) return earlier;
      } catch (const Error&) {  // damaged, or of a newer version
        continue;
      }
    }
  } catch (const Error&) {  // the folder cannot be listed
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace gpuassay
