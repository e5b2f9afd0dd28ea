#include "core/price_formats.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/price_sources/readers.h"

namespace gpuassay {

std::span<const PriceFormat> price_formats() {
  static const std::vector<PriceFormat> kFormats{
      {"aws", read_aws_prices, {"SKU", "OfferTermCode", "RateCode", "TermType", "PricePerUnit"}},
      {"azure", read_azure_prices, {"\"Items\"", "\"retailPrice\"", "\"armSkuName\"", "\"meterName\""}},
      {"runpod", read_runpod_prices, {"\"gpuTypes\""}},
      {"lambda", read_lambda_prices, {"\"data\"", "\"price_cents_per_hour\""}},
      {"vast", read_vast_prices, {"\"dph_total\"", "\"num_gpus\""}},
      {"skypilot", read_skypilot_prices, {"InstanceType", "AcceleratorName", "SpotPrice"}},
      {"gpuhunt", read_gpuhunt_prices, {"instance_name", "gpu_name", "spot", "price"}},
      {"seed", read_seed_prices, {"seed_file", "as_of", "gpu_model", "note"}},
      {"normalized", read_normalized_prices, {"provider", "gpu_model", "pricing_model", "currency", "unit"}},
  };
  return kFormats;
}

std::vector<std::string> price_format_names() {
  std::vector<std::string> names;
  for (const PriceFormat& format : price_formats()) names.emplace_back(format.name);
  std::reverse(names.begin(), names.end());
  return names;
}

const PriceFormat& price_format_named(std::string_view name) {
  for (const PriceFormat& format : price_formats()) {
    if (format.name == name) return format;
  }
  throw Error(ErrorCode::usage, fmt::format("there is no price format '{}'; the known ones are: {}", name,
                                            fmt::join(price_format_names(), ", ")));
}

const PriceFormat& recognise_price_format(const std::string& path) {
  ByteSource source = ByteSource::from_file(path);
  constexpr std::size_t kBeginning = std::size_t{16} << 10U;
  const std::string_view beginning = source.at_end() ? std::string_view() : source.at_hand().substr(0, kBeginning);
  for (const PriceFormat& format : price_formats()) {
    const bool has_all = std::all_of(format.marks.begin(), format.marks.end(), [&](std::string_view mark) {
      return beginning.find(mark) != std::string_view::npos;
    });
    if (has_all) return format;
  }
  throw Error(ErrorCode::unreadable_input,
              fmt::format("{}: no known price format has such a beginning; the known ones are: {}", path,
                          fmt::join(price_format_names(), ", ")));
}

}  // namespace gpuassay
