#include "agent/plan_peers.h"

#include <algorithm>
#include <iterator>

#include "agent/plan_units.h"
#include "core/operations.h"

namespace gpuassay {
namespace {

/// Six milliseconds over PCIe 3.0, so that all pairs of eight cards take some ten seconds; several copies make a sample
/// of a millisecond over NVLink.
constexpr std::int64_t kPeerBytes = 64 * kMiB;
/// The pairs are many: what each takes of time and document is little.
constexpr SamplingLimits kPeerLimits{3, 200, 10 * kMs, 25 * kMs, 3};
constexpr std::ptrdiff_t kManyDevices = 5;

struct Way {
  BandwidthKernel kernel;
  MemoryLevel engine;
  bool of_many;  ///< also where devices are many
};
constexpr Way kWays[] = {
    {BandwidthKernel::p2p_write, MemoryLevel::ce, true},
    {BandwidthKernel::p2p_read, MemoryLevel::sm, true},
    {BandwidthKernel::p2p_bidirectional, MemoryLevel::ce, true},
    {BandwidthKernel::p2p_read, MemoryLevel::ce, false},
    {BandwidthKernel::p2p_write, MemoryLevel::sm, false},
    {BandwidthKernel::p2p_bidirectional, MemoryLevel::sm, false},
};

}  // namespace

std::vector<Case> peer_cases(const std::vector<Device>& devices, Profile profile) {
  std::vector<Case> cases;
  if (profile == Profile::quick) return cases;
  std::vector<int> gpus;
  for (const Device& device : devices) {
    if (device.kind == DeviceKind::cuda) gpus.push_back(device.index);
  }
  const bool many = std::ssize(gpus) >= kManyDevices;
  for (const Way& way : kWays) {
    if (many && !way.of_many) continue;
    for (const int from : gpus) {
      for (const int to : gpus) {
        const bool counted = way.kernel == BandwidthKernel::p2p_bidirectional && to < from;
        if (from == to || counted) continue;
        const BandwidthParams params{way.kernel, way.engine, kPeerBytes, to};
        cases.push_back({case_id(params), from, params, Regime::burst, kPeerLimits});
      }
    }
  }
  return cases;
}

}  // namespace gpuassay
