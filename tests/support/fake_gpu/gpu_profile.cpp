#include "tests/support/fake_gpu/gpu_profile.h"

#include <algorithm>
#include <cstdlib>

#include "core/csv.h"
#include "embedded/FakeGpuSpecs.h"

namespace gpuassay::fake {
namespace {

/// One row with its cells as numbers.
class Row {
 public:
  Row(const CsvTable& table, std::size_t row) : table_(&table), row_(row) {}
  [[nodiscard]] std::string text(std::string_view column) const { return std::string(table_->cell(row_, column)); }
  [[nodiscard]] double number(std::string_view column, double absent = 0) const {
    const std::string cell = text(column);
    return cell.empty() ? absent : std::strtod(cell.c_str(), nullptr);
  }

 private:
  const CsvTable* table_;
  std::size_t row_;
};

constexpr double kMib = 1024.0 * 1024.0;

/// Drivers show a little less than the capacity: what ECC and the firmware keep (T4: 15360 of 16384 MiB).
std::uint64_t memory_of(const Row& row) {
  const double mib = row.number("nvsmi_memory_mib", row.number("memory_gib") * 1024 * 0.98);
  return static_cast<std::uint64_t>(mib) * static_cast<std::uint64_t>(kMib);
}

unsigned pci_device_of(const std::string& ids) {
  const std::size_t colon = ids.find(':');
  return colon == std::string::npos ? 0U : static_cast<unsigned>(std::strtoul(ids.c_str() + colon + 1, nullptr, 16));
}

/// "PCIe 4.0 x16"; Grace Hopper's cell is empty: its host link is counted as PCIe 5.0.
int generation_of(const std::string& pcie) {
  return pcie.size() > 5 ? static_cast<int>(std::strtol(pcie.c_str() + 5, nullptr, 10)) : 5;
}

void fill_speeds(GpuProfile& gpu, const Row& row) {
  const int capability = gpu.capability();
  gpu.fp32_tflops = row.number("fp32_tflops");
  gpu.fp64_tflops = row.number("fp64_tflops", gpu.fp32_tflops / 2);
  // Absent cells: the ratios of the architecture's whitepaper (tensor cores at 8x, from 8.6 on at 4x the fp32 rate).
  if (capability >= 70) {
    gpu.fp16_tflops = row.number("fp16_tensor_fp32acc_tflops", gpu.fp32_tflops * (capability < 86 ? 8 : 4));
  }
  if (capability >= 80) {
    gpu.tf32_tflops = row.number("tf32_tensor_tflops", gpu.fp16_tflops / 2);
    gpu.bf16_tflops = row.number("bf16_tensor_tflops", gpu.fp16_tflops);
  }
  if (capability >= 72) gpu.int8_tops = row.number("int8_tops", gpu.fp16_tflops * 2);
  if (capability >= 89) gpu.fp8_tflops = row.number("fp8_tflops", gpu.fp16_tflops * 2);
  const bool slow_half = capability == 61 || capability < 53;
  gpu.fp16_fma_tflops = row.number("fp16_nontensor_tflops", slow_half ? gpu.fp32_tflops / 64 : gpu.fp32_tflops * 2);
}

/// Of the row's two spellings, the one of the driver's time: "NVIDIA ..." came with branch 465.
std::string driver_name_of(const Row& row, bool new_names) {
  const std::string first = row.text("nvml_name");
  const std::string second = row.text("nvml_name_alt");
  const auto is_new = [](const std::string& name) { return name.substr(0, 7) == "NVIDIA "; };
  return !second.empty() && is_new(second) == new_names ? second : first;
}

GpuProfile profile_of(const Row& row, bool new_names) {
  GpuProfile gpu;
  gpu.name = row.text("gpu");
  gpu.driver_name = driver_name_of(row, new_names);
  const std::string capability = row.text("compute_capability");
  gpu.major = static_cast<int>(std::strtol(capability.c_str(), nullptr, 10));
  gpu.minor = static_cast<int>(std::strtol(capability.c_str() + capability.find('.') + 1, nullptr, 10));
  gpu.sm_count = static_cast<int>(row.number("sm_count"));
  // Absent cells: the clock at which the lanes of Hopper (256 operations per clock) reach the published figure.
  gpu.boost_mhz = row.number("boost_clock_mhz", row.number("fp32_tflops") * 1e6 / (gpu.sm_count * 256.0));
  gpu.max_sm_mhz = row.number("nvsmi_max_sm_mhz", gpu.boost_mhz);
  gpu.bandwidth_bytes_per_s = row.number("memory_bandwidth_gbs") * 1e9;
  gpu.bus_bits = static_cast<int>(row.number("memory_bus_bits", 6144));
  // Two transfers per clock and pin.
  gpu.memory_mhz = row.number("nvsmi_max_mem_mhz", gpu.bandwidth_bytes_per_s / (gpu.bus_bits / 8.0) / 2 / 1e6);
  gpu.memory_bytes = memory_of(row);
  gpu.l2_bytes = static_cast<std::uint64_t>(row.number("l2_mib", gpu.major >= 10  ? 126
                                                                 : gpu.major >= 9 ? 50
                                                                                  : 6) *
                                            kMib);
  gpu.power_limit_w = row.number("nvsmi_power_limit_w", row.number("tdp_w", 700));
  gpu.nvlink_gb_per_s = row.number("nvlink_gbs");
  gpu.pcie_generation = generation_of(row.text("pcie"));
  gpu.pci_device = pci_device_of(row.text("pci_device_ids"));
  gpu.dual_board = gpu.name.find("(one ") != std::string::npos;
  fill_speeds(gpu, row);
  return gpu;
}

}  // namespace

bool GpuProfile::is_geforce() const { return driver_name.find("GeForce") != std::string::npos; }

double GpuProfile::operations_per_s(Precision precision) const {
  constexpr double kTera = 1e12;
  const double fp64_tensor = (capability() == 80 || capability() == 90) && fp64_tflops < fp32_tflops * 0.8 ? 2 : 1;
  switch (precision) {
    case Precision::fp64: return fp64_tflops * fp64_tensor * kTera;
    case Precision::fp64_fma: return fp64_tflops * kTera;
    case Precision::fp32: return fp32_tflops * kTera;
    case Precision::tf32: return tf32_tflops * kTera;
    // Without tensor cores sums in fp32 are computed by the fp32 lanes.
    case Precision::fp16: return (fp16_tflops > 0 ? fp16_tflops : fp32_tflops) * kTera;
    // GeForce has half the tensor rate when it accumulates in fp32.
    case Precision::fp16_acc16:
      return (fp16_tflops > 0 ? fp16_tflops * (is_geforce() ? 2 : 1) : fp16_fma_tflops) * kTera;
    case Precision::bf16: return bf16_tflops * kTera;
    case Precision::int8: return int8_tops * kTera;
    case Precision::fp8: return fp8_tflops * kTera;
    case Precision::fp4: return (major >= 10 ? fp16_tflops * 4 : 0) * kTera;
    case Precision::fp16_fma: return fp16_fma_tflops * kTera;
    case Precision::bf16_fma: return (capability() >= 80 ? fp32_tflops * 2 : 0) * kTera;
    case Precision::dp4a: return (capability() >= 61 ? fp32_tflops * 4 : 0) * kTera;
  }
  return 0;
}

std::optional<GpuProfile> find_profile(std::string_view name, bool new_names) {
  const CsvTable table = CsvTable::parse(embedded::kFakeGpuSpecs);
  for (std::size_t row = 0; row < table.row_count(); ++row) {
    if (table.cell(row, "gpu") == name) return profile_of(Row(table, row), new_names);
  }
  return std::nullopt;
}

}  // namespace gpuassay::fake
