// Offers of Vast.ai as its search answers them: {"offers": [...]}, USD per hour for the offer, at one instant.
#include <fmt/format.h>

#include "core/error.h"
#include "core/price_sources/exact_json.h"
#include "core/price_sources/readers.h"

namespace gpuassay {
namespace {

using nlohmann::json;

std::optional<Micros> mib_as_gib(std::string_view text) {
  const auto mib = quantity(text);
  return mib ? std::optional(divide_half_even(*mib, 1024)) : std::nullopt;
}

/// The host's memory in the share of its cores that the offer has: MB to GiB would hide how coarse that is.
std::optional<Micros> share_of_host_memory(const json& offer) {
  const auto mib = quantity(json_text(offer, "cpu_ram"));
  const auto cores = quantity(json_text(offer, "cpu_cores"));
  const auto effective = quantity(json_text(offer, "cpu_cores_effective"));
  if (!mib || !cores || !effective || *cores == 0) return std::nullopt;
  const auto ratio = [](Micros value) { return Ratio(Decimal{static_cast<std::uint64_t>(value), 6}); };
  return ratio(*mib).times(ratio(*effective)).over(ratio(*cores)).over(Ratio(Decimal{1024, 0})).micros();
}

void read_offer(const json& offer, const AsOf& as_of, PriceRow& row) {
  if (json_flag(offer, "is_bid")) reject_line("the floor of a bid is not a price");
  row.provider = "vastai";
  row.offer_id = optional_json_text(offer, "machine_id");
  if (!row.offer_id) reject_line("no machine_id");
  const std::string verification = json_text(offer, "verification");
  if (!verification.empty() && verification != "verified") row.product_line = verification;
  row.region = optional_json_text(offer, "geolocation");
  row.gpu_count = quantity(json_text(offer, "num_gpus")).value_or(0);
  if (row.gpu_count == 0) reject_line("no GPU");
  name_gpu(row, json_text(offer, "gpu_name"), mib_as_gib(json_text(offer, "gpu_ram")));
  row.vcpus = quantity(json_text(offer, "cpu_cores_effective"));
  row.memory_gib = share_of_host_memory(offer);
  row.local_disk_gb = quantity(json_text(offer, "disk_space"));
  row.pricing_model = "on_demand";
  row.amount = optional_json_text(offer, "dph_total");
  row.note = "dph_total: with storage for the disk that was asked for";
  describe_catalog_row(row, as_of, "vast/offers", "api");
}

}  // namespace

PriceImport read_vast_prices(ByteSource& source, const SourceContext& context) {
  const json document = read_exact_json(source);
  const json& offers = json_items(document, "offers", "answer of Vast.ai's offer search");
  const AsOf& as_of = needed_as_of(context, "vast");
  RowCollector rows(context);
  std::size_t item = 0;
  for (const json& offer : offers)
    rows.add(fmt::format("offer {}", ++item), [&](PriceRow& row) { read_offer(offer, as_of, row); });
  return rows.finish_list("vast/offers", as_of);
}

}  // namespace gpuassay
