// Pages of the Azure Retail Prices API: whole machines per hour; reservations as the price of the whole term.
#include <fmt/format.h>

#include "core/ascii.h"
#include "core/error.h"
#include "core/machine_sizes.h"
#include "core/price_sources/exact_json.h"
#include "core/price_sources/readers.h"

namespace gpuassay {
namespace {

using nlohmann::json;

/// Rejects what is no Linux machine of the open price list.
void require_linux_machine(const json& item) {
  const std::string meter = json_text(item, "meterName");
  const std::string sku = json_text(item, "skuName");
  const std::string product = json_text(item, "productName");
  if (json_text(item, "serviceName") != "Virtual Machines") reject_line("not a virtual machine");
  if (contains(product, "Windows")) reject_line("Windows");
  if (contains(product, "Dedicated") || contains(sku, "Dedicated")) reject_line("dedicated host");
  if (contains(meter, "Low Priority") || contains(sku, "Low Priority")) reject_line("low priority");
  if (item.is_object() && item.contains("isPrimaryMeterRegion") && !json_flag(item, "isPrimaryMeterRegion"))
    reject_line("not the primary meter of its region");
}

void read_class(const json& item, PriceRow& row) {
  const std::string type = json_text(item, "type");
  const bool spot = contains(json_text(item, "meterName"), "Spot") || contains(json_text(item, "skuName"), "Spot");
  if (type == "Reservation") {
    const std::string term = json_text(item, "reservationTerm");
    const std::size_t space = term.find(' ');
    constexpr std::int64_t kMonthsPerYear = 12;
    row.commitment_months = read_months(term.substr(0, space)) * (contains(term, "Year") ? kMonthsPerYear : 1);
    row.pricing_model = "reserved";
    row.unit = PriceUnit::term;  // the whole term, although the unit says one hour
    return;
  }
  if (type != "Consumption") reject_line(fmt::format("price type '{}'", type.substr(0, 40)));
  if (json_text(item, "unitOfMeasure") != "1 Hour") reject_line("not per hour");
  row.pricing_model = spot ? "spot" : "on_demand";
}

void read_machine(const json& item, PriceRow& row) {
  row.instance_type = optional_json_text(item, "armSkuName");
  const MachineSize* const size = row.instance_type ? find_machine_size("azure", *row.instance_type) : nullptr;
  if (size == nullptr) {
    const std::string name = row.instance_type.value_or("");
    if (name.starts_with("Standard_N"))
      reject_line(
          fmt::format("the machine size '{}' is not known; add it to core/data/machine_sizes.csv", name.substr(0, 60)));
    reject_line("no GPU");
  }
  row.gpu_model = size->gpu_model;
  row.gpu_variant = size->gpu_variant;
  row.gpu_count = size->gpu_count;
  set_gpu_memory(row, size->gpu_memory_gib);
  row.vcpus = size->vcpus;
  row.memory_gib = size->memory_gib;
}

void read_item(const json& item, const SourceContext& context, PriceRow& row) {
  require_linux_machine(item);
  row.provider = "azure";
  read_machine(item, row);
  read_class(item, row);
  row.offer_id = optional_json_text(item, "skuId");
  row.region = optional_json_text(item, "armRegionName");
  row.amount = optional_json_text(item, "retailPrice");
  row.currency = read_currency(json_text(item, "currencyCode"));
  if (row.currency != "USD") row.confidence = Confidence::inferred;  // other currencies are indicative
  const AsOf from = read_as_of(json_text(item, "effectiveStartDate"));
  describe_catalog_row(row, from, "azure/retail-prices", "api");
  if (context.as_of && context.as_of->first_ms > from.first_ms) row.observed_at_ms = context.as_of->first_ms;
}

}  // namespace

PriceImport read_azure_prices(ByteSource& source, const SourceContext& context) {
  const json document = read_exact_json(source);
  // One page, or an array of pages, each with its Items.
  const json pages =
      document.is_array() && !document.empty() && document.front().is_object() && document.front().contains("Items")
          ? document
          : json::array({document});
  RowCollector rows(context);
  std::size_t item_number = 0;
  for (const json& page : pages) {
    for (const json& item : json_items(page, "Items", "page of Azure's retail prices"))
      rows.add(fmt::format("item {}", ++item_number), [&](PriceRow& row) { read_item(item, context, row); });
  }
  PriceImport import = rows.finish(true);
  warn_about_age(import, context);
  return import;
}

}  // namespace gpuassay
