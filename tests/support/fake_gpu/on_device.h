// Makes a device current for as long as it lives.
#pragma once

#include "tests/support/fake_gpu/machine.h"

namespace gpuassay::fake {

class OnDevice {
 public:
  OnDevice(Machine& machine, int device) : machine_(machine), before_(machine.context()), device_(device) {
    machine_.set_current(machine_.retain_primary(device));
  }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;
  ~OnDevice() {
    machine_.set_current(before_);
    machine_.release_primary(device_);
  }

 private:
  Machine& machine_;
  cuda::ContextRecord* before_;
  int device_;
};

}  // namespace gpuassay::fake
