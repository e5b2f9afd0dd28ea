// vms.csv of the SkyPilot catalogue, schema v8: one cloud a file, on-demand and spot price in one line, USD per hour.
#include <fmt/format.h>

#include "core/ascii.h"
#include "core/csv_columns.h"
#include "core/machine_sizes.h"
#include "core/price_compose.h"
#include "core/price_sources/readers.h"
#include "core/provider_names.h"

namespace gpuassay {
namespace {

/// The figure of `column` as plain digits; empty when the catalogue does not know it, which it writes as nothing, 0 or
/// 0.00.
std::optional<std::string> known_amount(const CsvColumns& file, std::string_view column) {
  const auto text = file.optional_cell(column);
  if (!text) return std::nullopt;
  std::string amount = plain_digits(*text);
  const Decimal value = file.read(column, [&](std::string_view) { return parse_decimal(amount); });
  return value.digits == 0 ? std::nullopt : std::optional(std::move(amount));
}

/// total / count, where that is a decimal: the accelerator lines of GCP give the price of all.
std::string per_device(const std::string& total, Micros count) {
  Decimal value = parse_decimal(total);
  auto devices = static_cast<std::uint64_t>(count / 1'000'000);
  while (devices > 1 && value.digits % devices != 0 && value.digits < UINT64_MAX / 10) {
    value.digits *= 10;
    ++value.places;
  }
  if (devices == 0 || value.digits % devices != 0)
    throw Error(ErrorCode::unreadable_input, "the price of one accelerator is no decimal number");
  std::string digits = std::to_string(value.digits / devices);
  if (value.places == 0) return digits;
  if (digits.size() <= value.places) digits.insert(0, value.places + 1 - digits.size(), '0');
  return digits.insert(digits.size() - value.places, ".");
}

void read_line(const CsvColumns& file, const std::string& provider, const AsOf& as_of, bool spot, PriceRow& row) {
  row.provider = provider;
  row.instance_type = file.optional_cell("InstanceType");
  row.region = file.optional_cell("Region");
  row.zone = file.optional_cell("AvailabilityZone");
  row.pricing_model = spot ? "spot" : "on_demand";
  row.amount = known_amount(file, spot ? "SpotPrice" : "Price");
  row.vcpus = file.read("vCPUs", quantity);
  row.memory_gib = file.read("MemoryGiB", quantity);
  const auto accelerator = file.optional_cell("AcceleratorName");
  row.gpu_count = file.read("AcceleratorCount", quantity).value_or(0);
  describe_catalog_row(row, as_of, "skypilot/" + provider, "catalog");
  if (!accelerator) {  // a host; only GCP sells it apart from its GPUs, which the table of sizes knows
    const MachineSize* const size =
        provider == "gcp" && row.instance_type ? find_machine_size(provider, *row.instance_type) : nullptr;
    if (size == nullptr) reject_line("no GPU");
    row.basis = PriceBasis::vm_only;
    row.gpu_model = size->gpu_model;
    row.gpu_variant = size->gpu_variant;
    row.gpu_count = size->gpu_count;
    set_gpu_memory(row, size->gpu_memory_gib);
    return;
  }
  if (row.gpu_count == 0) reject_line("no GPU");
  // GpuInfo is not looked at: its memory is in other units and of other things than it says, differently in each cloud.
  file.read("AcceleratorName", [&](std::string_view name) {
    name_gpu(row, name, std::nullopt);
    return 0;
  });
  // The catalogue calls the cards of 80 GB "A100-80GB" and the others "A100".
  if (row.gpu_model == "A100" && !row.gpu_memory_gib_total) set_gpu_memory(row, 40'000'000);
  if (!row.instance_type) {
    row.basis = PriceBasis::gpu_addon;
    if (lower_case(*accelerator).find("mega") != std::string::npos)
      reject_line("a part of machines that the table of sizes does not hold");
    if (row.amount) row.amount = per_device(*row.amount, row.gpu_count);
  }
}

}  // namespace

PriceImport read_skypilot_prices(ByteSource& source, const SourceContext& context) {
  CsvColumns file(
      source,
      {"InstanceType", "vCPUs", "MemoryGiB", "AcceleratorName", "AcceleratorCount", "Region", "Price", "SpotPrice"},
      "vms.csv of SkyPilot");
  const std::string provider = provider_slug(needed_provider(context, "skypilot"));
  const AsOf& as_of = needed_as_of(context, "skypilot");
  RowCollector rows(context);
  while (file.next()) {
    const std::string place = fmt::format("line {}", file.line());
    rows.add(place, [&](PriceRow& row) { read_line(file, provider, as_of, false, row); });
    // Without a figure there is no spot offer that this line could be the price of.
    if (file.cell("SpotPrice").find_first_not_of("0.") != std::string_view::npos)
      rows.add(place + " (spot)", [&](PriceRow& row) { read_line(file, provider, as_of, true, row); });
  }
  PriceImport import = rows.finish_list("skypilot/" + provider, as_of);
  add_composed_offers(import, context.rates);
  return import;
}

}  // namespace gpuassay
