#include "core/fx_rates.h"

#include <fmt/format.h>

#include "core/csv_columns.h"
#include "core/error.h"
#include "core/money.h"
#include "core/price_text.h"
#include "core/timestamp.h"

namespace gpuassay {

std::vector<FxRate> read_fx_rates(ByteSource& source) {
  CsvColumns file(source, {"date", "currency", "usd_per_unit", "source"}, "rate file");
  std::vector<FxRate> rates;
  std::map<std::pair<std::string, std::int64_t>, std::string> seen;
  while (file.next()) {
    FxRate rate;
    const AsOf date = file.read("date", read_as_of);
    if (date.precision != DatePrecision::day) file.refuse("date", "a rate needs a day; write year-month-day");
    rate.day = date.first_ms / kMsPerDay;
    rate.currency = file.read("currency", read_currency);
    rate.usd_per_unit = file.cell("usd_per_unit");
    if (file.read("usd_per_unit", parse_decimal).digits == 0) file.refuse("usd_per_unit", "a rate is above zero");
    rate.source = file.cell("source");
    const auto [known, is_new] = seen.emplace(std::pair(rate.currency, rate.day), rate.usd_per_unit);
    if (!is_new && known->second != rate.usd_per_unit)
      file.refuse("usd_per_unit", "another rate is given for the same currency and day");
    if (is_new) rates.push_back(std::move(rate));
  }
  return rates;
}

void FxTable::add(const std::vector<FxRate>& rates) {
  for (const FxRate& rate : rates) rates_[rate.currency].insert_or_assign(rate.day, rate);
}

const FxRate* FxTable::find(std::string_view currency, std::int64_t day) const {
  const auto of_currency = rates_.find(currency);
  if (of_currency == rates_.end()) return nullptr;
  auto later = of_currency->second.upper_bound(day);
  if (later == of_currency->second.begin()) return nullptr;
  const FxRate& last = std::prev(later)->second;
  return day - last.day <= kMaxFxAgeDays ? &last : nullptr;
}

}  // namespace gpuassay
