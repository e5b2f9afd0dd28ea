#include "tests/support/fake_gpu/library.h"

#include <cstdlib>

namespace gpuassay::fake {

Version library_version(const char* variable, const Version& absent) {
  Version version = absent;
  const std::string text = version_from_environment(variable, absent.major);
  if (text.empty()) return version;
  const char* at = text.c_str();
  for (int* part : {&version.major, &version.minor, &version.patch}) {
    char* end = nullptr;
    *part = static_cast<int>(std::strtol(at, &end, 10));
    at = *end == '.' ? end + 1 : end;
  }
  return version;
}

namespace {

bool at_least(const Version& version, int major, int minor) {
  return version.major > major || (version.major == major && version.minor >= minor);
}

}  // namespace

// NVIDIA's release notes: 12 dropped Kepler, 13 all before Turing; 11.1 added 8.6, 11.8 Ada and Hopper, 12.8 Blackwell.
Coverage cublas_coverage(const Version& version) {
  Coverage coverage;
  coverage.lowest = version.major >= 13 ? 75 : version.major >= 12 ? 50 : 35;
  coverage.highest = 80;
  if (at_least(version, 11, 1)) coverage.highest = 86;
  if (at_least(version, 11, 8)) coverage.highest = 90;
  if (at_least(version, 12, 8)) coverage.highest = 120;
  coverage.driver_branch = version.major >= 13 ? 580 : version.major >= 12 ? 525 : 450;
  return coverage;
}

// cuDNN's support matrices: 8.6 added Ada and Hopper, 8.8 dropped Kepler, 9.7 added Blackwell, 9.11 dropped all before
// Turing.
Coverage cudnn_coverage(const Version& version) {
  Coverage coverage;
  coverage.lowest = at_least(version, 9, 11) ? 75 : at_least(version, 8, 8) ? 50 : 35;
  coverage.highest = at_least(version, 9, 7) ? 120 : at_least(version, 8, 6) ? 90 : 86;
  coverage.driver_branch = version.major >= 9 ? 525 : 450;
  return coverage;
}

void initialize_runtime(Machine& machine) {
  if (machine.setup.fault("stub") != nullptr) throw Failure{cuda::kStubLibrary};
  if (machine.setup.fault("no_device") != nullptr || machine.devices.empty()) throw Failure{cuda::kNoDevice};
  machine.initialized = true;
  try {
    machine.current();
  } catch (const Failure& failure) {
    if (failure.code != cuda::kInvalidContext) throw;
    machine.set_current(machine.retain_primary(0));
  }
}

bool refused_by_fault(const Machine& machine, const Device& device, const std::string& kind, const std::string& dtype) {
  const Fault* fault = machine.setup.fault("unsupported", device.ordinal());
  if (fault == nullptr) return false;
  const std::string wanted = fault->value.empty() ? "fp16" : fault->value;
  return wanted == dtype || wanted == kind;
}

}  // namespace gpuassay::fake
