// How does every function of the fake driver begin and end? Lock, check, do, and a status instead of an exception.
#pragma once

#include <cstdio>
#include <exception>
#include <mutex>
#include <new>

#include "tests/support/fake_gpu/machine.h"

namespace gpuassay::fake {

/// Calls body(machine, lock) under the machine's lock; the driver status of what it throws.
template <class Body>
int locked(Body body) noexcept {
  try {
    Machine& machine = Machine::instance();
    std::unique_lock lock(machine.mutex);
    body(machine, lock);
    return cuda::kSuccess;
  } catch (const Failure& failure) {
    return failure.code;
  } catch (const std::bad_alloc&) {
    return cuda::kOutOfMemory;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fake GPU: %s\n", error.what());
    return cuda::kUnknownError;
  }
}

/// locked() for what needs cuInit first.
template <class Body>
int driver_call(Body body) noexcept {
  return locked([&](Machine& machine, std::unique_lock<std::recursive_mutex>& lock) {
    if (!machine.initialized) throw Failure{cuda::kNotInitialized};
    body(machine, lock);
  });
}

/// The faults `nan` and `wrong` of kind `copy` spoil the first word of a large copy; small ones carry what tests look
/// at.
inline bool is_spoilt(const Machine& machine, std::size_t bytes) {
  constexpr std::size_t kLarge = std::size_t{1} << 20;
  for (const char* name : {"nan", "wrong"}) {
    const Fault* fault = machine.setup.fault(name, machine.context()->device);
    if (fault != nullptr && fault->value == "copy" && bytes >= kLarge) return true;
  }
  return false;
}
inline constexpr std::size_t kSpoiltBytes = 8;

using Lock = std::unique_lock<std::recursive_mutex>;

/// An output argument; null is a caller's mistake.
template <class Value>
Value& output(Value* pointer) {
  if (pointer == nullptr) throw Failure{cuda::kInvalidValue};
  return *pointer;
}

}  // namespace gpuassay::fake
