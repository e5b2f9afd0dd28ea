// How are a price match and a list of prices shown, to people and to programs?
#pragma once

#include <string>
#include <vector>

#include "agent/text_style.h"
#include "core/model.h"
#include "core/price_join.h"
#include "core/price_list.h"

namespace gpuassay {

/// "1.7200": money for people has four places.
std::string money_text(Micros micros);

/// The output fields of docs/PRICES.md, all of them always; money as decimal strings with six places.
std::string match_json(const PriceAnswer& answer);
std::string match_report(const PriceAnswer& answer, const TextStyle& style);

/// One line for people: level, age and everything that weakens the match.
std::vector<std::string> match_words(const PriceMatch& match);
/// What a reason of join.sql means and what can be done.
std::string reason_text(const std::string& reason);

/// The block `price` of a result document.
PriceMatch price_block(const PriceAnswer& answer);

/// What a list was made of.
struct PriceListing {
  std::vector<ListedPrice> offers;
  std::size_t left_out_stale = 0;
  std::size_t left_out_limit = 0;
  std::string pricing_model, valid_at;
  bool ranked = false;
};
std::string list_json(const PriceListing& listing);
std::string list_report(const PriceListing& listing, const TextStyle& style);

}  // namespace gpuassay
