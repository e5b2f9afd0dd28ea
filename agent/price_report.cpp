#include "agent/price_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "agent/report_figures.h"
#include "agent/text_page.h"
#include "core/json_or_null.h"
#include "core/price_json.h"
#include "core/prices.h"

namespace gpuassay {
namespace {

using nlohmann::json;

std::optional<std::string> money(const std::optional<Micros>& micros) {
  return micros ? std::optional(format_micros(*micros)) : std::nullopt;
}

/// Rounded half to even.
std::string four_places(const std::string& six_places) {
  constexpr Micros kFourthPlace = 100;
  const std::string rounded = format_micros(divide_half_even(parse_micros(six_places), kFourthPlace) * kFourthPlace);
  return rounded.substr(0, rounded.size() - 2);
}

std::string count_text(Micros count) {
  constexpr Micros kOne = 1'000'000;
  return count % kOne == 0 ? std::to_string(count / kOne) : fmt::format("{:.3g}", static_cast<double>(count) / 1e6);
}

std::string offer_text(const ListedPrice& offer) {
  std::string text = fmt::format("{} x {}", count_text(offer.gpu_count), offer.gpu_model);
  if (offer.gpu_variant) text += " " + *offer.gpu_variant;
  if (offer.gpu_memory_mib) text += fmt::format(" {} GiB", (*offer.gpu_memory_mib + 512) / 1024);
  return text;
}

std::string place_text(const ListedPrice& offer) {
  std::string text = offer.provider;
  for (const auto& part : {offer.product_line, offer.instance_type, offer.region}) {
    if (part && *part != "*") text += " " + *part;
  }
  return text;
}

json offer_json(const ListedPrice& offer) {
  return {{"price_id", offer.price_id},
          {"provider", offer.provider},
          {"product_line", or_null(offer.product_line)},
          {"instance_type", or_null(offer.instance_type)},
          {"region", or_null(offer.region)},
          {"gpu_model", offer.gpu_model},
          {"gpu_variant", or_null(offer.gpu_variant)},
          {"gpu_count", format_micros(offer.gpu_count)},
          {"gpu_memory_mib", or_null(offer.gpu_memory_mib)},
          {"pricing_model", offer.pricing_model},
          {"commitment_months", or_null(offer.commitment_months)},
          {"price_instance_hour_usd", format_micros(offer.price_instance_hour_usd)},
          {"price_gpu_hour_usd", format_micros(offer.price_gpu_hour_usd)},
          {"age_days", offer.age_days},
          {"stale", offer.stale},
          {"as_of_precision", offer.as_of_precision},
          {"source_ref", offer.source_ref},
          {"score", or_null(offer.score)},
          {"score_per_usd_hour", or_null(offer.score_per_usd_hour)},
          {"count_scaled", offer.count_scaled}};
}

std::string age_text(std::int64_t days) {
  constexpr std::int64_t kDaysPerYear = 365;
  return days < 2 * kDaysPerYear ? fmt::format("{} days old", days)
                                 : fmt::format("{:.1f} years old", static_cast<double>(days) / 365.25);
}

}  // namespace

std::string money_text(Micros micros) { return four_places(format_micros(micros)); }

std::string match_json(const PriceAnswer& answer) { return price_answer_json(answer).dump() + "\n"; }

PriceMatch price_block(const PriceAnswer& answer) {
  PriceMatch block;
  block.match_level = answer.match_level;
  block.reason = answer.reason;
  block.price_instance_hour_usd = money(answer.price_instance_hour_usd);
  block.price_gpu_hour_usd = money(answer.price_gpu_hour_usd);
  block.pricing_model = answer.pricing_model;
  block.pricing_model_assumed = answer.pricing_model_assumed;
  block.price_id = answer.price_id;
  block.price_provider = answer.price_provider;
  constexpr std::size_t kLongestReference = 256;
  if (answer.source_ref) block.source_ref = answer.source_ref->substr(0, kLongestReference);
  block.amount = answer.amount;
  block.currency = answer.currency;
  block.unit = answer.unit;
  block.fx_rate = answer.fx_rate;
  block.fx_date = answer.fx_date;
  block.candidates = answer.candidates;
  block.lowest_gpu_hour_usd = money(answer.lowest_gpu_hour_usd);
  block.highest_gpu_hour_usd = money(answer.highest_gpu_hour_usd);
  block.region_match = answer.region_match;
  block.memory_check = answer.memory_check;
  block.variant_check = answer.variant_check;
  block.count_scaled = answer.count_scaled;
  block.age_days = answer.age_days;
  block.stale = answer.stale;
  block.as_of_precision = answer.as_of_precision;
  block.tax = answer.tax;
  block.cost_basis = answer.cost_basis;
  block.cost_hour_usd = money(answer.cost_hour_usd);
  return block;
}

std::string reason_text(const std::string& reason) {
  static const std::vector<std::pair<std::string_view, std::string_view>> kTexts{
      {"no_gpu_price", "no price of this GPU is known; import prices with gpuassay price import"},
      {"memory_differs", "every price of this GPU is of a card with other memory"},
      {"variant_differs", "every price of this GPU is of another form (PCIe, SXM, NVL)"},
      {"no_pricing_class", "no price of this GPU is of the pricing model asked for; see --pricing-model"},
      {"amount_missing", "the prices of this GPU have no amount"},
      {"zero_price", "the prices of this GPU are zero, which is no price"},
      {"component_missing", "a part of the machine (host or GPU) has no price"},
      {"fx_missing", "the prices are in a currency without a rate of that day; import rates with --rates"},
      {"undated", "the prices do not say when they held"},
      {"not_an_offer", "the prices are not of a Linux machine that can be rented"},
      {"not_yet_valid", "the prices begin after the measurement; a later price is never used"},
      {"expired", "the prices ended before the measurement"},
      {"measured_at_missing", "the time of the measurement is not known"},
      {"gpu_count_missing", "the number of GPUs of the machine is not known"},
      {"no_provider", "the provider is not known; say --provider, or --rental-equivalent for own hardware"}};
  for (const auto& [code, text] : kTexts) {
    if (code == reason) return std::string(text);
  }
  return reason;
}

std::vector<std::string> match_words(const PriceMatch& match) {
  std::vector<std::string> words{match.match_level};
  if (match.pricing_model)
    words.push_back(*match.pricing_model + (match.pricing_model_assumed.value_or(false) ? " (assumed)" : ""));
  if (match.age_days) words.push_back(age_text(*match.age_days));
  if (match.stale.value_or(false)) words.emplace_back("STALE");
  if (match.candidates.value_or(0) > 1)
    words.push_back(fmt::format("median of {}: {} to {} USD per GPU", *match.candidates,
                                four_places(match.lowest_gpu_hour_usd.value_or("0.000000")),
                                four_places(match.highest_gpu_hour_usd.value_or("0.000000"))));
  if (match.region_match && *match.region_match != "equal") words.push_back("region " + *match.region_match);
  if (match.memory_check == "unknown") words.emplace_back("memory unknown");
  if (match.count_scaled.value_or(false)) words.emplace_back("scaled from another GPU count");
  if (match.as_of_precision && *match.as_of_precision != "second" && *match.as_of_precision != "day")
    words.push_back("dated to the " + *match.as_of_precision);
  if (match.tax && *match.tax != "excluded") words.push_back("tax " + *match.tax);
  return words;
}

std::string match_report(const PriceAnswer& answer, const TextStyle& style) {
  TextPage page(style);
  const PriceMatch block = price_block(answer);
  if (!answer.price_id) {
    page.line("match", {"none"}, TextPage::kBold);
    page.prose("reason", fmt::format("{}: {}", answer.reason.value_or(""), reason_text(answer.reason.value_or(""))));
    return page.take();
  }
  page.line("price",
            {fmt::format("{} USD per hour", money_text(*answer.price_instance_hour_usd)),
             fmt::format("({} per GPU)", money_text(*answer.price_gpu_hour_usd))},
            TextPage::kBold);
  page.line("match", match_words(block));
  page.prose("source",
             fmt::format("{}, {}: {} {} per {}", answer.price_provider.value_or(""), answer.source_ref.value_or(""),
                         answer.amount.value_or(""), answer.currency.value_or(""), answer.unit.value_or("")));
  if (answer.score_per_usd_hour)
    page.line("per dollar",
              {fmt::format("{} index points", short_number(*answer.score_per_usd_hour)),
               fmt::format("at {} USD per hour ({})", money_text(*answer.cost_hour_usd), *answer.cost_basis)});
  return page.take();
}

std::string list_json(const PriceListing& listing) {
  json document = {{"pricing_model", listing.pricing_model},
                   {"valid_at", listing.valid_at},
                   {"ranked_by", listing.ranked ? "score_per_usd_hour" : "price_gpu_hour_usd"},
                   {"left_out_stale", listing.left_out_stale},
                   {"left_out_limit", listing.left_out_limit},
                   {"offers", json::array()}};
  for (const ListedPrice& offer : listing.offers) document["offers"].push_back(offer_json(offer));
  return document.dump() + "\n";
}

std::string list_report(const PriceListing& listing, const TextStyle& style) {
  TextPage page(style, 13);
  page.prose("prices", fmt::format("{}, in force at {}, {}", listing.pricing_model, listing.valid_at,
                                   listing.ranked ? "by score per dollar (level gpu_only: any offer of a measured GPU)"
                                                  : "by price of one GPU and hour"));
  for (const ListedPrice& offer : listing.offers) {
    std::vector<std::string> words;
    if (offer.score_per_usd_hour)
      words.push_back(fmt::format("{} points/USD{}", short_number(*offer.score_per_usd_hour),
                                  offer.count_scaled ? " (score per GPU)" : ""));
    words.push_back(offer_text(offer));
    words.push_back(place_text(offer));
    words.push_back(fmt::format("{} USD/h", money_text(offer.price_instance_hour_usd)));
    words.push_back(age_text(offer.age_days) + (offer.stale ? " STALE" : ""));
    page.line(money_text(offer.price_gpu_hour_usd), words);
  }
  if (listing.offers.empty()) page.prose("", "no price passes");
  if (listing.left_out_stale > 0)
    page.prose("left out", fmt::format("{} stale prices; --include-stale ranks them too", listing.left_out_stale));
  if (listing.left_out_limit > 0)
    page.prose("left out", fmt::format("{} more; --limit shows them", listing.left_out_limit));
  return page.take();
}

}  // namespace gpuassay
