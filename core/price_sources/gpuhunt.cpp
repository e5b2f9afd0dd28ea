// Catalogue CSV of dstackai/gpuhunt: one provider a file, USD per hour for the whole instance.
#include <fmt/format.h>

#include "core/ascii.h"
#include "core/csv_columns.h"
#include "core/price_sources/readers.h"
#include "core/provider_names.h"

namespace gpuassay {
namespace {

bool read_flag(std::string_view text) {
  const std::string word = lower_case(text);
  if (word == "true" || word == "1") return true;
  if (word == "false" || word == "0" || word.empty()) return false;
  throw Error(ErrorCode::unreadable_input, fmt::format("'{}' is neither True nor False", text.substr(0, 40)));
}

void read_line(const CsvColumns& file, const std::string& provider, const AsOf& as_of, PriceRow& row) {
  row.provider = provider;
  row.instance_type = file.optional_cell("instance_name");
  row.region = file.optional_cell("location");
  const auto count = file.read("gpu_count", quantity);
  if (!count || *count == 0) reject_line("no GPU");
  row.gpu_count = *count;
  const bool spot = file.read("spot", read_flag);
  // The aggregator writes the least bid of Vast as the price of a spot row.
  if (spot && provider == "vastai") reject_line("the floor of a bid is not a price");
  row.pricing_model = spot ? "spot" : "on_demand";
  const auto memory = file.read("gpu_memory", quantity);
  file.read("gpu_name", [&](std::string_view name) {
    name_gpu(row, name, memory);
    return 0;
  });
  row.vcpus = file.read("cpu", quantity);
  row.memory_gib = file.read("memory", quantity);
  row.local_disk_gb = file.read("disk_size", quantity);
  if (const auto amount = file.optional_cell("price")) {
    row.amount = plain_digits(*amount);
    file.read("price", [&](std::string_view) { return parse_decimal(*row.amount); });
  }
  row.note = file.cell("flags").empty() ? "" : fmt::format("flags={}", file.cell("flags"));
  describe_catalog_row(row, as_of, "gpuhunt/" + provider, "catalog");
}

}  // namespace

PriceImport read_gpuhunt_prices(ByteSource& source, const SourceContext& context) {
  CsvColumns file(
      source, {"instance_name", "location", "price", "cpu", "memory", "gpu_count", "gpu_name", "gpu_memory", "spot"},
      "gpuhunt catalogue");
  const std::string provider = provider_slug(needed_provider(context, "gpuhunt"));
  const AsOf& as_of = needed_as_of(context, "gpuhunt");
  RowCollector rows(context);
  while (file.next())
    rows.add(fmt::format("line {}", file.line()), [&](PriceRow& row) { read_line(file, provider, as_of, row); });
  return rows.finish_list("gpuhunt/" + provider, as_of);
}

}  // namespace gpuassay
