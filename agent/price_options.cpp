#include "agent/price_options.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "core/price_formats.h"

namespace gpuassay {
namespace {

constexpr std::int64_t kMostDays = 36'500;

CLI::IsMember pricing_models() { return CLI::IsMember({"on_demand", "spot", "preemptible", "reserved", "monthly"}); }

void add_import(CLI::App& price, Options& options) {
  CLI::App* command = price.add_subcommand("import", "Load prices from a file into the data directory");
  auto import = std::make_shared<PriceImportOptions>();
  command->add_option("--format", import->format, "what the file is")
      ->required()
      ->check(CLI::IsMember(price_format_names()));
  command->add_option("FILE", import->file, "the file to read")->required();
  command->add_option("--provider", import->provider, "whose prices these are (gpuhunt, skypilot)");
  command->add_option("--as-of", import->as_of, "when they held, as a date (gpuhunt, skypilot, vast, lambda, runpod)");
  command->add_option("--rates", import->rates, "exchange rates: date,currency,usd_per_unit,source");
  command->footer("A file is loaded whole or not at all; loading it again changes nothing.");
  command->final_callback([import, &options] { options.command = *import; });
}

void add_match(CLI::App& price, Options& options) {
  CLI::App* command = price.add_subcommand("match", "Find the price that belongs to a measurement");
  auto match = std::make_shared<PriceMatchOptions>();
  command->add_option("--measurement", match->measurement, "a measurement or result as JSON")->required();
  command->add_option("--pricing-model", match->pricing_model, "instead of the measurement's, else on_demand")
      ->check(pricing_models());
  command->add_option("--commitment-months", match->commitment_months, "the term, for reserved")
      ->check(CLI::Range(1, 120));
  command->add_option("--max-age-days", match->max_age_days, "older prices are stale")
      ->check(CLI::Range(std::int64_t{0}, kMostDays))
      ->capture_default_str();
  command->add_option("--prices", match->prices, "use the prices of this file alone");
  command->add_option("--rates", match->rates, "use the exchange rates of this file alone");
  command->add_option("--provider", match->provider, "whose prices --prices holds (gpuhunt, skypilot)");
  command->add_option("--as-of", match->as_of, "when the prices of --prices held");
  command->add_flag("--rental-equivalent", match->rental_equivalent, "price own hardware by what others rent");
  command->add_flag("--gpu-share", match->gpu_share, "cost only the GPUs that were used");
  command->add_flag("--json", match->json, "print one JSON document");
  command->final_callback([match, &options] { options.command = *match; });
}

void add_list(CLI::App& price, Options& options) {
  CLI::App* command = price.add_subcommand("list", "Show the prices in force, cheapest GPU first");
  auto list = std::make_shared<PriceListOptions>();
  command->add_option("--provider", list->provider, "only this provider");
  command->add_option("--gpu", list->gpu, "only this GPU");
  command->add_option("--region", list->region, "only this region");
  command->add_option("--count", list->gpu_count, "only machines with so many GPUs")->check(CLI::Range(1, 10'000));
  command->add_option("--pricing-model", list->pricing_model, "which class of prices")
      ->check(pricing_models())
      ->capture_default_str();
  command->add_option("--at", list->valid_at, "in force at this date instead of now");
  command->add_option("--max-age-days", list->max_age_days, "older prices are stale")
      ->check(CLI::Range(std::int64_t{0}, kMostDays))
      ->capture_default_str();
  command->add_option("--limit", list->limit, "rows to show")->check(CLI::Range(1, 100'000))->capture_default_str();
  command->add_option("--measured", list->measured, "rank by score per dollar from these results");
  command->add_flag("--include-stale", list->include_stale, "rank stale prices too");
  command->add_flag("--json", list->json, "print one JSON document");
  command->final_callback([list, &options] { options.command = *list; });
}

}  // namespace

void add_price_commands(CLI::App& app, Options& options) {
  CLI::App* price = app.add_subcommand("price", "Hourly prices: import, list, match");
  price->require_subcommand(1);
  add_import(*price, options);
  add_list(*price, options);
  add_match(*price, options);
}

}  // namespace gpuassay
