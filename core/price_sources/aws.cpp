// The bulk price list of AWS EC2 as CSV: five lines about the file, then one line for each rate of each SKU.
#include <fmt/format.h>

#include "core/csv_columns.h"
#include "core/machine_sizes.h"
#include "core/price_sources/readers.h"

namespace gpuassay {
namespace {

constexpr std::size_t kLinesBeforeHeader = 5;

/// "96 GiB" and "1,952 GiB" as millionths of a GiB.
std::optional<Micros> gib_cell(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos || text.substr(space + 1) != "GiB") return std::nullopt;
  std::string digits(text.substr(0, space));
  std::erase(digits, ',');
  return quantity(digits);
}

/// The columns of the filter and what an ordinary on-demand Linux machine has in them.
void require_plain_on_demand(const CsvColumns& file) {
  constexpr std::pair<std::string_view, std::string_view> kWanted[] = {
      {"TermType", "OnDemand"},   {"Operating System", "Linux"}, {"Tenancy", "Shared"},
      {"CapacityStatus", "Used"}, {"Pre Installed S/W", "NA"},   {"Unit", "Hrs"},
  };
  for (const auto& [column, wanted] : kWanted) {
    if (file.cell(column) != wanted) reject_line(fmt::format("{} is not {}", column, wanted));
  }
}

void read_line(const CsvColumns& file, const SourceContext& context, PriceRow& row) {
  if (file.cell("GPU").empty() || file.cell("GPU") == "NA") reject_line("no GPU");
  require_plain_on_demand(file);
  row.provider = "aws";
  row.instance_type = file.optional_cell("Instance Type");
  const MachineSize* const size = find_machine_size("aws", row.instance_type.value_or(""));
  if (size == nullptr)
    reject_line(fmt::format("the GPU of '{}' is not known; add its family to core/data/machine_sizes.csv",
                            row.instance_type.value_or("").substr(0, 60)));
  row.offer_id = file.optional_cell("RateCode");
  row.region = file.optional_cell("Region Code");
  row.gpu_count = file.read("GPU", quantity).value_or(0);
  row.gpu_model = size->gpu_model;
  row.gpu_variant = size->gpu_variant;
  set_gpu_memory(row, size->gpu_memory_gib);
  row.vcpus = file.read("vCPU", quantity);
  row.memory_gib = file.read("Memory", gib_cell);
  row.pricing_model = "on_demand";
  row.amount = file.optional_cell("PricePerUnit");
  row.currency = file.read("Currency", read_currency);
  const AsOf from = file.read("EffectiveDate", read_as_of);
  describe_catalog_row(row, from, "aws/price-list", "api");
  if (context.as_of && context.as_of->first_ms > from.first_ms) row.observed_at_ms = context.as_of->first_ms;
}

}  // namespace

PriceImport read_aws_prices(ByteSource& source, const SourceContext& context) {
  CsvColumns file(
      source,
      {"SKU", "RateCode", "TermType", "EffectiveDate", "Unit", "PricePerUnit", "Currency", "Instance Type",
       "Region Code", "Tenancy", "Operating System", "CapacityStatus", "Pre Installed S/W", "GPU", "vCPU", "Memory"},
      "price list of AWS", kLinesBeforeHeader);
  RowCollector rows(context);
  while (file.next())
    rows.add(fmt::format("line {}", file.line()), [&](PriceRow& row) { read_line(file, context, row); });
  PriceImport import = rows.finish(true);
  warn_about_age(import, context);
  return import;
}

}  // namespace gpuassay
