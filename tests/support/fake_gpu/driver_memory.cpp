// The fake driver: memory, copies and fills.
#include <cstring>

#include "tests/support/fake_gpu/driver_entry.h"
#include "tests/support/fake_gpu/driver_exports.h"

namespace gpuassay::cuda {

using fake::driver_call;
using fake::Engine;
using fake::Failure;
using fake::is_spoilt;
using fake::kSpoiltBytes;
using fake::Lock;
using fake::Machine;
using fake::Operation;
using fake::output;

namespace {

Operation transfer(Engine engine, std::size_t bytes, bool pinned) {
  Operation operation;
  operation.kind = "copy";
  operation.engine = engine;
  operation.duration_ns = [=](fake::Device& device) { return device.transfer_ns(static_cast<double>(bytes), pinned); };
  return operation;
}

void copy_in(Machine& machine, DevicePointer destination, const void* source, std::size_t bytes, Stream stream) {
  if (source == nullptr) throw Failure{kInvalidValue};
  machine.range(destination, bytes, kInvalidValue);
  Operation operation = transfer(Engine::host_to_device, bytes, machine.is_pinned(source, bytes));
  operation.effect = [&machine, destination, source, bytes] {
    machine.write(destination, bytes, machine.host_bytes(source, bytes));
    if (is_spoilt(machine, bytes)) machine.write(destination, kSpoiltBytes, std::make_shared<fake::Constant>(~0U));
  };
  machine.submit(machine.stream(stream), operation);
}

void copy_out(Machine& machine, void* destination, DevicePointer source, std::size_t bytes, Stream stream) {
  if (destination == nullptr) throw Failure{kInvalidValue};
  machine.range(source, bytes, kInvalidValue);
  Operation operation = transfer(Engine::device_to_host, bytes, machine.is_pinned(destination, bytes));
  operation.effect = [&machine, destination, source, bytes] {
    machine.copy_out(destination, machine.view(source, bytes));
    if (is_spoilt(machine, bytes)) std::memset(destination, 0xff, kSpoiltBytes);
  };
  machine.submit(machine.stream(stream), operation);
}

void set_words(Machine& machine, DevicePointer pointer, std::uint32_t word, std::size_t bytes, Stream stream) {
  machine.range(pointer, bytes, kInvalidValue);
  Operation operation;
  operation.duration_ns = [=](fake::Device& device) {
    fake::Work work;
    work.bytes = static_cast<double>(bytes);
    return device.duration_ns(work);
  };
  operation.effect = [&machine, pointer, word, bytes] {
    machine.write(pointer, bytes, std::make_shared<fake::Constant>(word));
  };
  machine.submit(machine.stream(stream), operation);
}

}  // namespace

int cuMemGetInfo_v2(std::size_t* free_bytes, std::size_t* total_bytes) {
  return driver_call([&](Machine& machine, Lock&) {
    const fake::Device& here = machine.current();
    output(free_bytes) = machine.free_bytes(here);
    output(total_bytes) = here.profile().memory_bytes;
  });
}

int cuMemAlloc_v2(DevicePointer* pointer, std::size_t bytes) {
  return driver_call([&](Machine& machine, Lock&) { output(pointer) = machine.allocate(bytes); });
}

int cuMemFree_v2(DevicePointer pointer) {
  return driver_call([&](Machine& machine, Lock&) { machine.free(pointer); });
}

int cuMemHostAlloc(void** pointer, std::size_t bytes, unsigned /*flags*/) {
  return driver_call([&](Machine& machine, Lock&) {
    machine.current();
    output(pointer) = machine.allocate_host(bytes);
  });
}

int cuMemFreeHost(void* pointer) {
  return driver_call([&](Machine& machine, Lock&) { machine.free_host(pointer); });
}

int cuMemHostGetDevicePointer_v2(DevicePointer* pointer, void* host, unsigned flags) {
  return driver_call([&](Machine& machine, Lock&) {
    if (flags != 0 || !machine.is_pinned(host, 1)) throw Failure{kInvalidValue};
    output(pointer) = reinterpret_cast<DevicePointer>(host);
  });
}

int cuMemcpyHtoD_v2(DevicePointer destination, const void* source, std::size_t bytes) {
  return driver_call([&](Machine& machine, Lock& lock) {
    copy_in(machine, destination, source, bytes, nullptr);
    machine.synchronize(machine.stream(nullptr), lock);
  });
}

int cuMemcpyDtoH_v2(void* destination, DevicePointer source, std::size_t bytes) {
  return driver_call([&](Machine& machine, Lock& lock) {
    copy_out(machine, destination, source, bytes, nullptr);
    machine.synchronize(machine.stream(nullptr), lock);
  });
}

int cuMemcpyHtoDAsync_v2(DevicePointer destination, const void* source, std::size_t bytes, Stream stream) {
  return driver_call([&](Machine& machine, Lock&) { copy_in(machine, destination, source, bytes, stream); });
}

int cuMemcpyDtoHAsync_v2(void* destination, DevicePointer source, std::size_t bytes, Stream stream) {
  return driver_call([&](Machine& machine, Lock&) { copy_out(machine, destination, source, bytes, stream); });
}

int cuMemcpyDtoDAsync_v2(DevicePointer destination, DevicePointer source, std::size_t bytes, Stream stream) {
  return driver_call([&](Machine& machine, Lock&) {
    machine.range(destination, bytes, kInvalidValue);
    machine.range(source, bytes, kInvalidValue);
    Operation operation;
    operation.kind = "copy";
    operation.duration_ns = [=](fake::Device& device) {
      fake::Work work;
      work.bytes = 2 * static_cast<double>(bytes);
      return device.duration_ns(work);
    };
    operation.effect = [&machine, destination, source, bytes] {
      machine.write(destination, machine.view(source, bytes));
    };
    machine.submit(machine.stream(stream), operation);
  });
}

int cuMemsetD8_v2(DevicePointer pointer, unsigned char value, std::size_t count) {
  return cuMemsetD8Async(pointer, value, count, nullptr);
}

int cuMemsetD8Async(DevicePointer pointer, unsigned char value, std::size_t count, Stream stream) {
  constexpr std::uint32_t kEveryByte = 0x01010101;
  return driver_call([&](Machine& machine, Lock&) { set_words(machine, pointer, value * kEveryByte, count, stream); });
}

int cuMemsetD32Async(DevicePointer pointer, unsigned value, std::size_t count, Stream stream) {
  return driver_call([&](Machine& machine, Lock&) {
    if (pointer % 4 != 0) throw Failure{kInvalidValue};
    set_words(machine, pointer, value, 4 * count, stream);
  });
}

}  // namespace gpuassay::cuda
