// GPU types of RunPod's GraphQL answer: USD per GPU and hour; secure and community cloud are different products.
#include <fmt/format.h>

#include <array>

#include "core/error.h"
#include "core/price_sources/exact_json.h"
#include "core/price_sources/readers.h"

namespace gpuassay {
namespace {

using nlohmann::json;

/// One figure of a GPU type and what it is the price of. Minimum bids and lowestPrice repeat or are no prices.
struct Figure {
  const char* field = nullptr;
  const char* product_line = nullptr;
  const char* pricing_model = nullptr;
  std::optional<std::int64_t> months;
};

const std::array<Figure, 7>& figures() {
  static const std::array<Figure, 7> kFigures{{{"securePrice", "secure", "on_demand", {}},
                                               {"communityPrice", "community", "on_demand", {}},
                                               {"secureSpotPrice", "secure", "spot", {}},
                                               {"communitySpotPrice", "community", "spot", {}},
                                               {"oneMonthPrice", "secure", "reserved", 1},
                                               {"threeMonthPrice", "secure", "reserved", 3},
                                               {"sixMonthPrice", "secure", "reserved", 6}}};
  return kFigures;
}

void read_figure(const json& type, const Figure& figure, const std::string& amount, const AsOf& as_of, PriceRow& row) {
  row.provider = "runpod";
  row.product_line = figure.product_line;
  row.instance_type = optional_json_text(type, "id");
  row.region = "*";
  row.gpu_count = 1'000'000;
  const std::string id = json_text(type, "id");
  name_gpu(row, id.empty() ? json_text(type, "displayName") : id, quantity(json_text(type, "memoryInGb")));
  row.pricing_model = figure.pricing_model;
  row.commitment_months = figure.months;
  row.basis = PriceBasis::per_gpu;
  row.amount = amount;
  if (figure.months) row.note = "a month is 30 days here; the figure is per GPU and hour";
  describe_catalog_row(row, as_of, "runpod/gpuTypes", "api");
}

const json& gpu_types(const json& document) {
  const json& data = document.is_object() && document.contains("data") ? document.at("data") : document;
  return json_items(data, "gpuTypes", "answer of RunPod's gpuTypes");
}

}  // namespace

PriceImport read_runpod_prices(ByteSource& source, const SourceContext& context) {
  const json document = read_exact_json(source);
  const json& types = gpu_types(document);
  const AsOf& as_of = needed_as_of(context, "runpod");
  RowCollector rows(context);
  std::size_t item = 0;
  for (const json& type : types) {
    ++item;
    for (const Figure& figure : figures()) {
      const std::string amount = json_text(type, figure.field);
      if (amount.empty()) continue;  // null: not sold so
      rows.add(fmt::format("type {}.{}", item, figure.field),
               [&](PriceRow& row) { read_figure(type, figure, amount, as_of, row); });
    }
  }
  return rows.finish_list("runpod/gpuTypes", as_of);
}

}  // namespace gpuassay
