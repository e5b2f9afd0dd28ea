#include "core/machine_sizes.h"

#include <algorithm>
#include <map>

#include "core/csv.h"
#include "core/price_text.h"
#include "embedded/MachineSizes.h"

namespace gpuassay {
namespace {

using Sizes = std::map<std::pair<std::string, std::string>, MachineSize>;

std::optional<Micros> quantity_cell(const CsvTable& csv, std::size_t row, std::string_view column) {
  const std::string_view text = csv.cell(row, column);
  return text.empty() ? std::nullopt : std::optional(parse_micros(text));
}

Sizes read_sizes() {
  const CsvTable csv = CsvTable::parse(embedded::kMachineSizes);
  Sizes sizes;
  for (std::size_t row = 0; row < csv.row_count(); ++row) {
    MachineSize size;
    size.gpu_model = csv.cell(row, "gpu_model");
    size.gpu_variant = csv.optional_cell(row, "gpu_variant");
    size.gpu_count = quantity_cell(csv, row, "gpu_count").value_or(0);
    size.gpu_memory_gib = quantity_cell(csv, row, "gpu_memory_gib");
    size.vcpus = quantity_cell(csv, row, "vcpus");
    size.memory_gib = quantity_cell(csv, row, "memory_gib");
    sizes[{std::string(csv.cell(row, "provider")), instance_key(csv.cell(row, "instance_type"))}] = size;
  }
  return sizes;
}

}  // namespace

const MachineSize* find_machine_size(std::string_view provider, std::string_view instance_type) {
  static const Sizes kSizes = read_sizes();
  const std::string type = instance_key(instance_type);
  for (const std::string& name : {type, type.substr(0, type.find('.'))}) {
    const auto found = kSizes.find({std::string(provider), name});
    if (found != kSizes.end()) return &found->second;
  }
  return nullptr;
}

}  // namespace gpuassay
