// Which GPU is being imitated? Its facts from gpu_specs.csv, and what can be derived where a cell is empty.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gpuassay::fake {

/// What an operation computes with, as far as speed goes. The `_fma` ones run outside the tensor cores.
enum class Precision { fp64, fp32, tf32, fp16, fp16_acc16, bf16, int8, fp8, fp4, fp64_fma, fp16_fma, bf16_fma, dp4a };

/// One GPU of the profile. Speeds are dense operations per second, 0 where the GPU cannot do it.
struct GpuProfile {
  std::string name;         ///< the `gpu` cell: "V100-SXM2-16GB"
  std::string driver_name;  ///< what the driver calls it: "Tesla V100-SXM2-16GB"
  int major = 0, minor = 0;
  int sm_count = 0;
  double boost_mhz = 0;   ///< clock under load
  double max_sm_mhz = 0;  ///< what NVML calls the maximum
  double memory_mhz = 0;
  int bus_bits = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t l2_bytes = 0;
  double bandwidth_bytes_per_s = 0;
  double power_limit_w = 0;
  int pcie_generation = 0, pcie_lanes = 16;
  double nvlink_gb_per_s = 0;  ///< both directions together
  unsigned pci_device = 0;     ///< PCI product id
  bool dual_board = false;
  double fp64_tflops = 0, fp32_tflops = 0, tf32_tflops = 0, fp16_tflops = 0, bf16_tflops = 0, int8_tops = 0,
         fp8_tflops = 0, fp16_fma_tflops = 0;

  /// 10 x major + minor.
  [[nodiscard]] int capability() const { return 10 * major + minor; }
  [[nodiscard]] bool is_geforce() const;
  [[nodiscard]] double operations_per_s(Precision precision) const;
};

/// The row of the embedded gpu_specs.csv whose `gpu` cell is `name`; empty when there is none.
/// @param new_names whether the driver is of the time that says "NVIDIA GeForce" instead of "GeForce".
std::optional<GpuProfile> find_profile(std::string_view name, bool new_names);

}  // namespace gpuassay::fake
