// Which machine is being imitated? GPUs, driver version and faults, from the environment that scripts/with_fake_gpu
// sets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/fake_gpu/gpu_profile.h"

namespace gpuassay::fake {

/// "NAME[:DEVICE[:VALUE]]"; README.md says what each means.
struct Fault {
  std::string name;
  int device = -1;  ///< ordinal; -1: every device
  std::string value;

  /// The value as a number, `absent` when there is none.
  [[nodiscard]] double number(double absent) const;
  /// Whether the VALUE names `kind` of operation. Without a VALUE: matrix products and convolutions of 10^8 operations
  /// and more, so that the tiny ones with which a library is tried out still pass.
  [[nodiscard]] bool concerns(std::string_view kind, double operations) const;
};

struct DriverVersion {
  std::string text = "580.82.07";
  int branch = 580;

  /// The newest CUDA this branch runs, as cuDriverGetVersion says it: 12020.
  [[nodiscard]] int cuda() const;
  /// The newest PTX ISA it takes, 10 x major + minor.
  [[nodiscard]] int ptx_isa() const;
};

struct Setup {
  std::vector<GpuProfile> gpus;
  DriverVersion driver;
  std::vector<Fault> faults;

  /// GPUASSAY_FAKE_GPU ("T4*2,K80 (board)"), GPUASSAY_FAKE_DRIVER, GPUASSAY_FAKE_FAULTS ("oom:0,slow:1:0.5").
  /// Throws Error{usage} for a GPU that is not in gpu_specs.csv.
  static Setup from_environment();

  /// The fault of that name that concerns `device`; null when there is none. Device -1 asks for any.
  [[nodiscard]] const Fault* fault(std::string_view name, int device = -1) const;
};

/// The version in the environment variable (a comma-separated list) whose major number is `major`; "" when there is
/// none.
std::string version_from_environment(const char* variable, int major);

}  // namespace gpuassay::fake
