#include "agent/commands/run_price.h"

#include <fmt/format.h>

#include "agent/assemble.h"
#include "agent/price_database.h"
#include "agent/price_report.h"
#include "core/error.h"
#include "core/money.h"
#include "core/price_join.h"
#include "core/price_question.h"

namespace gpuassay {

std::optional<std::string> price_six_places(const std::optional<std::string>& price_usd_per_hour) {
  if (!price_usd_per_hour) return std::nullopt;
  return format_micros(parse_micros(*price_usd_per_hour));
}

void look_up_price(Result& begun, const Environment& environment, Progress& progress) {
  if (is_part_of_machine(begun)) {
    PriceMatch none;
    none.reason = kPartOfMachine;
    return apply_price_match(begun, none, "a price is of the whole machine, of which only some GPUs were measured");
  }
  try {
    SqliteDatabase database = open_prices(environment.data_dir);
    const PriceAnswer answer = join_prices(database, {price_question(begun)}, {}).front();
    apply_price_match(begun, price_block(answer), answer.reason ? reason_text(*answer.reason) : "");
  } catch (const Error& error) {
    progress.warn(fmt::format("no price was looked up: {}", error.what()));
  }
}

double affordable_s(const std::string& max_cost_usd, const std::string& price_usd_per_hour) {
  constexpr double kSecondsPerHour = 3600;
  return static_cast<double>(parse_micros(max_cost_usd)) / static_cast<double>(parse_micros(price_usd_per_hour)) *
         kSecondsPerHour;
}

}  // namespace gpuassay
