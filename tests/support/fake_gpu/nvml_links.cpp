// The fake libnvidia-ml.so.1: what lies between two devices. Two of them share a PCIe switch, four a NUMA node.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "tests/support/fake_gpu/nvml_entry.h"
#include "tests/support/fake_gpu/nvml_exports.h"

namespace gpuassay::nvml {

using fake::Machine;
using fake::nvml_query;
using fake::NvmlFailure;
using fake::require_support;

namespace {

constexpr int kNonsense = 77;

/// A question about two devices: body(machine, one, other), under what refuses a question about either.
template <class Body>
int pair_query(Device one, Device other, Body body) {
  const int refused = nvml_query(other, [](Machine&, fake::Device&) {});
  if (refused != kSuccess) return refused;
  return nvml_query(one, [&](Machine& machine, fake::Device& first) {
    if (one == other) throw NvmlFailure{kInvalidArgument};
    body(machine, first, machine.device(other->ordinal));
  });
}

bool talks_nonsense(const Machine& machine, const fake::Device& device) {
  return machine.setup.fault("odd_links", device.ordinal()) != nullptr;
}

/// By how much one link of the generation carries, both ways together.
int link_count(const Machine& machine, const fake::Device& device) {
  constexpr double kPascal = 40, kVolta = 50, kGa102 = 28.125, kBlackwell = 100;
  for (const char* fault : {"vgpu", "mig", "no_nvlink"}) {
    if (machine.setup.fault(fault, device.ordinal()) != nullptr) return 0;
  }
  double each = kVolta;
  if (device.profile().capability() == 60) each = kPascal;
  if (device.profile().capability() == 86) each = kGa102;
  if (device.profile().capability() >= 100) each = kBlackwell;
  return static_cast<int>(std::lround(device.profile().nvlink_gb_per_s / each));
}

bool has_switches(const fake::Device& device) {
  return device.profile().capability() >= 80 && device.profile().capability() != 86;
}

/// The device at the other end of a link where there are no switches; -1 where nobody is. Numbers that differ in the
/// same bits are linked, so both ends agree.
int far_end(const Machine& machine, const fake::Device& device, int link) {
  const auto is_linked = [&](int ordinal) {
    return ordinal >= 0 && ordinal < static_cast<int>(machine.devices.size()) &&
           link_count(machine, *machine.devices[static_cast<std::size_t>(ordinal)]) > 0;
  };
  const bool one_bridge = device.profile().capability() == 86;
  const int peers = one_bridge ? 1 : std::max(1, static_cast<int>(machine.devices.size()) - 1);
  const int each = std::max(1, link_count(machine, device) / peers);
  const int peer = device.ordinal() ^ (1 + link / each);
  return is_linked(peer) && link / each < peers ? peer : -1;
}

void require_link(const Machine& machine, const fake::Device& device, unsigned link) {
  const int links = link_count(machine, device);
  require_support(links > 0);
  if (link >= static_cast<unsigned>(links)) throw NvmlFailure{kInvalidArgument};
}

}  // namespace

int nvmlDeviceGetTopologyCommonAncestor(Device one, Device other, int* level) {
  return pair_query(one, other, [&](Machine& machine, fake::Device& first, fake::Device& second) {
    require_support(machine.setup.fault("vgpu", first.ordinal()) == nullptr);
    const int a = first.ordinal();
    const int b = second.ordinal();
    *level = kTopologySystem;
    if (a / 4 == b / 4) *level = kTopologyNode;
    if (a / 2 == b / 2) *level = first.profile().dual_board ? kTopologyInternal : kTopologySingle;
    if (talks_nonsense(machine, first)) *level = kNonsense;
  });
}

int nvmlDeviceGetP2PStatus(Device one, Device other, int capability, int* status) {
  return pair_query(one, other, [&](Machine& machine, fake::Device& first, fake::Device& second) {
    const bool linked = link_count(machine, first) > 0 && link_count(machine, second) > 0;
    const bool reach = machine.may_reach(first.ordinal(), second.ordinal());
    const int refusal = first.profile().is_geforce() ? kP2pChipsetNotSupported : kP2pNotSupported;
    *status = (capability == kP2pNvLink ? linked : reach) ? kP2pOk : refusal;
    if (talks_nonsense(machine, first)) *status = kNonsense;
  });
}

int nvmlDeviceGetNvLinkState(Device device, unsigned link, int* active) {
  return nvml_query(device, [&](Machine& machine, fake::Device& asked) {
    if (talks_nonsense(machine, asked)) {  // as many links as anybody asks for
      *active = kFeatureEnabled;
      return;
    }
    require_link(machine, asked, link);
    const bool leads = has_switches(asked) || far_end(machine, asked, static_cast<int>(link)) >= 0;
    *active = leads ? kFeatureEnabled : kFeatureDisabled;
  });
}

int nvmlDeviceGetNvLinkRemoteDeviceType(Device device, unsigned link, int* type) {
  return nvml_query(device, [&](Machine& machine, fake::Device& asked) {
    *type = has_switches(asked) ? kRemoteSwitch : kRemoteGpu;
    if (talks_nonsense(machine, asked)) *type = kNonsense;
    if (!talks_nonsense(machine, asked)) require_link(machine, asked, link);
  });
}

int nvmlDeviceGetNvLinkRemotePciInfo_v2(Device device, unsigned link, PciInfo* remote) {
  return nvml_query(device, [&](Machine& machine, fake::Device& asked) {
    *remote = PciInfo{};
    if (talks_nonsense(machine, asked)) {
      std::memset(remote->bus_id, '/', sizeof(remote->bus_id));  // no end either
      return;
    }
    require_link(machine, asked, link);
    require_support(!has_switches(asked));
    const int peer = far_end(machine, asked, static_cast<int>(link));
    if (peer < 0) throw NvmlFailure{kNotFound};
    remote->bus = static_cast<unsigned>(machine.device(peer).pci_bus());
    std::snprintf(remote->bus_id, sizeof(remote->bus_id), "00000000:%02X:00.0", remote->bus);
  });
}

}  // namespace gpuassay::nvml
