// Instance types of Lambda's API: a map by name, US cents per instance-hour, one price for all regions.
#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/price_sources/exact_json.h"
#include "core/price_sources/readers.h"

namespace gpuassay {
namespace {

using nlohmann::json;

/// Cents as dollars, exactly: "110" is "1.10".
std::string dollars_of_cents(const std::string& cents) {
  const bool whole =
      !cents.empty() && std::all_of(cents.begin(), cents.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!whole)
    throw Error(ErrorCode::unreadable_input, fmt::format("price_cents_per_hour: '{}' is no count of cents", cents));
  std::string padded = cents;
  if (padded.size() < 3) padded.insert(0, 3 - padded.size(), '0');
  return padded.insert(padded.size() - 2, ".");
}

/// "8x A100 (40 GB SXM4)" without its count.
std::string_view gpu_of_description(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
  if (at == 0 || text.substr(at, 1) != "x") return text;
  text.remove_prefix(at + 1);
  while (text.starts_with(' ')) text.remove_prefix(1);
  return text;
}

void read_type(const std::string& name, const json& entry, const AsOf& as_of, PriceRow& row) {
  const json& type = entry.is_object() && entry.contains("instance_type") ? entry.at("instance_type") : entry;
  const json specs = type.is_object() && type.contains("specs") ? type.at("specs") : json::object();
  row.provider = "lambda";
  row.instance_type = name;
  row.region = "*";
  row.gpu_count = quantity(json_text(specs, "gpus")).value_or(0);
  if (row.gpu_count == 0) reject_line("no GPU");
  std::string gpu = json_text(type, "gpu_description");
  if (gpu.empty()) gpu = json_text(type, "description");
  name_gpu(row, gpu_of_description(gpu), std::nullopt);
  row.vcpus = quantity(json_text(specs, "vcpus"));
  row.memory_gib = quantity(json_text(specs, "memory_gib"));
  row.local_disk_gb = quantity(json_text(specs, "storage_gib"));
  row.pricing_model = "on_demand";
  if (const auto cents = optional_json_text(type, "price_cents_per_hour")) row.amount = dollars_of_cents(*cents);
  describe_catalog_row(row, as_of, "lambda/instance-types", "api");
}

}  // namespace

PriceImport read_lambda_prices(ByteSource& source, const SourceContext& context) {
  const json document = read_exact_json(source);
  const json& types = json_items(document, "data", "answer of Lambda's instance types");
  if (!types.is_object())
    throw Error(ErrorCode::unreadable_input, "this is no answer of Lambda's instance types: 'data' is no map by name");
  const AsOf& as_of = needed_as_of(context, "lambda");
  RowCollector rows(context);
  for (const auto& [name, entry] : types.items()) {
    rows.add(fmt::format("type {}", name.substr(0, 60)),
             [&name = name, &entry = entry, &as_of](PriceRow& row) { read_type(name, entry, as_of, row); });
  }
  return rows.finish_list("lambda/instance-types", as_of);
}

}  // namespace gpuassay
