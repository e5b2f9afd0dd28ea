#include "core/gpu_specs.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "core/csv.h"
#include "core/error.h"
#include "embedded/GpuSpecs.h"

namespace gpuassay {
namespace {

/// How the name of a row ends that stands for a board of several devices.
constexpr std::string_view kBoardSuffix = " (board)";

class RowReader {
 public:
  RowReader(const CsvTable& table, std::size_t row) : table_(table), row_(row) {}

  [[nodiscard]] std::string text(std::string_view column) const {
    std::string value(table_.cell(row_, column));
    if (value.empty()) fail(column, "is empty");
    return value;
  }
  [[nodiscard]] std::optional<double> figure(std::string_view column) const {
    const std::optional<std::string> value = table_.optional_cell(row_, column);
    if (!value) return std::nullopt;
    char* end = nullptr;
    const double number = std::strtod(value->c_str(), &end);
    if (*end != '\0' || !std::isfinite(number) || number <= 0) fail(column, "is not a positive number");
    return number;
  }
  [[nodiscard]] double required_figure(std::string_view column) const {
    const std::optional<double> value = figure(column);
    if (!value) fail(column, "is empty");
    return *value;
  }
  /// The parts of a cell between '|'; none for an empty cell.
  [[nodiscard]] std::vector<std::string> list(std::string_view column) const {
    std::vector<std::string> parts;
    std::string_view rest = table_.cell(row_, column);
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('|'), rest.size());
      parts.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return parts;
  }
  [[nodiscard]] std::optional<std::string> optional_text(std::string_view column) const {
    return table_.optional_cell(row_, column);
  }

 private:
  [[noreturn]] void fail(std::string_view column, std::string_view problem) const {
    throw Error(ErrorCode::unreadable_input,
                fmt::format("line {} of the GPU table: {} {}", table_.line_of(row_), column, problem));
  }

  const CsvTable& table_;
  std::size_t row_;
};

/// The whole number behind `mark`; empty when there is none.
std::optional<int> number_behind(std::string_view text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  int number = 0;
  const auto [end, problem] = std::from_chars(text.data() + at + mark.size(), text.data() + text.size(), number);
  return problem == std::errc() ? std::optional(number) : std::nullopt;
}

GpuSpec read_spec(const RowReader& row) {
  GpuSpec spec;
  spec.gpu = row.text("gpu");
  spec.is_board = spec.gpu.ends_with(kBoardSuffix);
  spec.nvml_names = {row.text("nvml_name")};
  for (std::string& other : row.list("nvml_name_alt")) spec.nvml_names.push_back(std::move(other));
  spec.model = row.text("model");
  spec.variant = row.optional_text("variant");
  spec.compute_capability = row.text("compute_capability");
  spec.sm_count = static_cast<int>(row.required_figure("sm_count"));
  spec.memory_gib = row.required_figure("memory_gib");
  spec.boost_clock_mhz = row.figure("boost_clock_mhz");
  spec.memory_bus_bits = row.figure("memory_bus_bits");
  spec.bandwidth_gb_per_s = row.figure("memory_bandwidth_gbs");
  spec.fp64_tflop_per_s = row.figure("fp64_tflops");
  spec.fp32_tflop_per_s = row.figure("fp32_tflops");
  spec.fp16_tflop_per_s = row.figure("fp16_nontensor_tflops");
  spec.tf32_tensor_tflop_per_s = row.figure("tf32_tensor_tflops");
  spec.fp16_tensor_tflop_per_s = row.figure("fp16_tensor_fp32acc_tflops");
  spec.bf16_tensor_tflop_per_s = row.figure("bf16_tensor_tflops");
  spec.int8_tensor_tflop_per_s = row.figure("int8_tops");
  spec.fp8_tensor_tflop_per_s = row.figure("fp8_tflops");
  spec.l2_mib = row.figure("l2_mib");
  spec.tdp_w = row.figure("tdp_w");
  const std::string link = row.optional_text("pcie").value_or("");  // "PCIe 4.0 x16"
  spec.pcie_generation = number_behind(link, "PCIe ");
  spec.pcie_lanes = number_behind(link, " x");
  spec.pci_device_ids = row.list("pci_device_ids");
  spec.nvml_memory_mib = row.figure("nvsmi_memory_mib");
  spec.nvml_max_sm_clock_mhz = row.figure("nvsmi_max_sm_mhz");
  spec.nvml_max_memory_clock_mhz = row.figure("nvsmi_max_mem_mhz");
  spec.nvml_power_limit_w = row.figure("nvsmi_power_limit_w");
  return spec;
}

}  // namespace

std::vector<GpuSpec> parse_gpu_specs(std::string_view csv) {
  const CsvTable table = CsvTable::parse(csv);
  std::vector<GpuSpec> specs;
  specs.reserve(table.row_count());
  for (std::size_t row = 0; row < table.row_count(); ++row) specs.push_back(read_spec(RowReader(table, row)));
  return specs;
}

const std::vector<GpuSpec>& gpu_specs() {
  static const std::vector<GpuSpec> kSpecs = parse_gpu_specs(embedded::kGpuSpecs);
  return kSpecs;
}

const GpuSpec* gpu_spec_named(std::string_view gpu) {
  const auto found =
      std::find_if(gpu_specs().begin(), gpu_specs().end(), [gpu](const GpuSpec& spec) { return spec.gpu == gpu; });
  return found == gpu_specs().end() ? nullptr : &*found;
}

}  // namespace gpuassay
