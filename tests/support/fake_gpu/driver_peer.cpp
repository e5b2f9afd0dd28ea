// The fake driver: copies between devices.
#include "tests/support/fake_gpu/driver_entry.h"
#include "tests/support/fake_gpu/driver_exports.h"
#include "tests/support/fake_gpu/on_device.h"

namespace gpuassay::cuda {

using fake::driver_call;
using fake::Failure;
using fake::Lock;
using fake::Machine;
using fake::OnDevice;
using fake::output;

int cuDeviceCanAccessPeer(int* can, Device device, Device peer) {
  return driver_call([&](Machine& machine, Lock&) { output(can) = machine.may_reach(device, peer) ? 1 : 0; });
}

int cuCtxEnablePeerAccess(Context peer, unsigned flags) {
  return driver_call([&](Machine& machine, Lock&) {
    const int here = machine.current().ordinal();
    const int there = machine.checked(peer).device;
    if (flags != 0) throw Failure{kInvalidValue};
    if (!machine.may_reach(here, there)) throw Failure{kPeerAccessUnsupported};
    if (!machine.reached_peers.insert({here, there}).second) throw Failure{kPeerAccessAlreadyEnabled};
  });
}

int cuMemcpyPeerAsync(DevicePointer destination, Context of_destination, DevicePointer source, Context of_source,
                      std::size_t bytes, Stream stream) {
  return driver_call([&](Machine& machine, Lock&) {
    const int to = machine.checked(of_destination).device;
    const int from = machine.checked(of_source).device;
    const auto read = [&machine, source, bytes, from] {
      const OnDevice on(machine, from);
      return machine.view(source, bytes, kInvalidValue);
    };
    (void)read();
    fake::Operation operation;
    operation.kind = "copy";
    operation.duration_ns = [&machine, bytes, from, to](fake::Device&) {
      return machine.peer_ns(static_cast<double>(bytes), from, to);
    };
    operation.effect = [&machine, read, destination, to, is_wrong = fake::is_spoilt(machine, bytes)] {
      const fake::View view = read();
      const OnDevice on(machine, to);
      machine.write(destination, view, kInvalidValue);
      if (is_wrong) machine.write(destination, fake::kSpoiltBytes, std::make_shared<fake::Constant>(~0U));
    };
    machine.submit(machine.stream(stream), operation);
  });
}

}  // namespace gpuassay::cuda
