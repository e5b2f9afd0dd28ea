// gpuassay price import, list and match.
#include <fmt/format.h>

#include <cstdio>

#include "agent/commands/commands.h"
#include "agent/commands/result_file.h"
#include "agent/exit_code.h"
#include "agent/price_database.h"
#include "agent/price_report.h"
#include "agent/spool.h"
#include "core/error.h"
#include "core/gpu_aliases.h"
#include "core/price_question.h"
#include "core/price_text.h"
#include "core/provider_names.h"
#include "core/result_json.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

PriceQuestion read_measurement(const std::filesystem::path& name, const Environment& environment) {
  const std::string text = read_result_text(name, environment);
  try {
    return read_price_question(text);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", name.string(), error.what()));
  }
}

/// What an option's text means; a text that means nothing is a usage error.
template <class Parse>
auto option(const char* name, const std::string& text, const Parse& parse) -> decltype(parse(std::string_view())) {
  try {
    return parse(std::string_view(text));
  } catch (const Error& error) {
    throw Error(ErrorCode::usage, fmt::format("{}: {}", name, error.what()));
  }
}

PriceFilter filter_of(const PriceListOptions& options) {
  PriceFilter filter;
  if (options.provider) filter.provider = option("--provider", *options.provider, provider_slug);
  if (options.gpu)
    filter.gpu_model =
        option("--gpu", *options.gpu, [](std::string_view name) { return resolve_gpu_name(name).model; });
  filter.region = options.region;
  filter.pricing_model = options.pricing_model;
  if (options.gpu_count) filter.gpu_count = *options.gpu_count * 1'000'000;
  filter.max_age_days = options.max_age_days;
  filter.valid_at_ms = options.valid_at ? option("--at", *options.valid_at, read_as_of).first_ms : unix_ms();
  return filter;
}

void rank(PriceListing& listing, const PriceListOptions& options, const Environment& environment) {
  std::vector<PriceQuestion> measured;
  measured.reserve(options.measured.size());
  for (const std::filesystem::path& name : options.measured) measured.push_back(read_measurement(name, environment));
  listing.offers = rank_by_score(std::move(listing.offers), measured);
  listing.ranked = true;
  if (options.include_stale) return;
  listing.left_out_stale = std::erase_if(listing.offers, [](const ListedPrice& offer) { return offer.stale; });
}

}  // namespace

int execute(const PriceImportOptions& options, const Environment& environment) {
  const Spool data_dir(environment.data_dir);  // makes the folder, or says why it cannot be used
  constexpr int kLongestWaitMs = 60'000;       // for another import
  SqliteDatabase database((environment.data_dir / "prices.db").string(), SqliteDatabase::Mode::read_write_create,
                          kLongestWaitMs);
  database.execute("PRAGMA cache_spill = OFF");  // a spill would lock readers out until the import ends
  PriceFileOptions file{options.file.string(), options.format, options.provider, options.as_of, {}, unix_ms()};
  if (options.rates) file.rates_path = options.rates->string();
  print_out(describe(import_price_file(database, file)));
  return kExitOk;
}

int execute(const PriceMatchOptions& options, const Environment& environment) {
  const PriceQuestion question = read_measurement(options.measurement, environment);
  std::optional<PriceFileOptions> file;
  if (options.prices)
    file = PriceFileOptions{options.prices->string(), {}, options.provider, options.as_of, {}, unix_ms()};
  ImportReport report;
  SqliteDatabase database = open_named_prices(environment.data_dir, file, options.rates, report);
  if (environment.verbosity != Verbosity::quiet) std::fputs(report.details().c_str(), stderr);
  JoinOptions join;
  join.pricing_model = options.pricing_model;
  join.commitment_months = options.commitment_months;
  join.max_age_days = options.max_age_days;
  join.rental_equivalent = options.rental_equivalent;
  join.gpu_share = options.gpu_share;
  const PriceAnswer answer = join_prices(database, {question}, join).front();
  print_out(options.json ? match_json(answer) : match_report(answer, environment.out_style));
  return kExitOk;
}

int execute(const PriceListOptions& options, const Environment& environment) {
  const PriceFilter filter = filter_of(options);
  SqliteDatabase database = open_prices(environment.data_dir);
  PriceListing listing;
  listing.offers = list_prices(database, filter);
  listing.pricing_model = options.pricing_model;
  listing.valid_at = format_rfc3339_ms(filter.valid_at_ms);
  if (!options.measured.empty()) rank(listing, options, environment);
  if (listing.offers.size() > options.limit) {
    listing.left_out_limit = listing.offers.size() - options.limit;
    listing.offers.resize(options.limit);
  }
  print_out(options.json ? list_json(listing) : list_report(listing, environment.out_style));
  return kExitOk;
}

}  // namespace gpuassay
