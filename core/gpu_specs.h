// What do datasheets say about a GPU? The reviewed table of core/data/gpu_specs.csv as values. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuassay {

/// One row: a GPU as CUDA enumerates it, except the rows of whole boards (`is_board`), which hold several devices and
/// are there for prices and simulation. Peaks are dense TFLOP/s (10^12 operations per second) as published; an empty
/// one is not published or not verified. Where each figure comes from stands in the CSV (`source`, `notes`).
struct GpuSpec {
  std::string gpu;                      ///< the row's name, for example "V100-SXM2-16GB"
  std::vector<std::string> nvml_names;  ///< every spelling the driver is known to use
  std::string model;                    ///< canonical name, as prices have it: "Tesla V100"
  std::optional<std::string> variant;   ///< "PCIe", "SXM2", ...; empty where the model has one form only
  bool is_board = false;
  std::string compute_capability;
  int sm_count = 0;
  double memory_gib = 0;
  std::optional<double> boost_clock_mhz, memory_bus_bits, bandwidth_gb_per_s;
  std::optional<double> fp64_tflop_per_s;         ///< multiply-add lanes
  std::optional<double> fp32_tflop_per_s;         ///< multiply-add lanes
  std::optional<double> fp16_tflop_per_s;         ///< multiply-add lanes
  std::optional<double> tf32_tensor_tflop_per_s;  ///< this and the rest: tensor cores
  std::optional<double> fp16_tensor_tflop_per_s;  ///< accumulating in fp32
  std::optional<double> bf16_tensor_tflop_per_s, int8_tensor_tflop_per_s, fp8_tensor_tflop_per_s;
  std::optional<double> l2_mib, tdp_w;
  std::optional<int> pcie_generation, pcie_lanes;  ///< of the board
  std::vector<std::string> pci_device_ids;         ///< "10de:1db1", lower case
  std::optional<double> nvml_memory_mib, nvml_max_sm_clock_mhz, nvml_max_memory_clock_mhz, nvml_power_limit_w;
};

/// Reads a table with the columns of core/data/gpu_specs.csv. Throws Error{unreadable_input} naming the line for a
/// missing column, an empty required cell or a figure that is not a positive number.
std::vector<GpuSpec> parse_gpu_specs(std::string_view csv);

/// The embedded table, read once; it lives as long as the program.
const std::vector<GpuSpec>& gpu_specs();

/// The row called `gpu`; null when there is none.
const GpuSpec* gpu_spec_named(std::string_view gpu);

}  // namespace gpuassay
