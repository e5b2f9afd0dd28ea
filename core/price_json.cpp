#include "core/price_json.h"

#include "core/json_or_null.h"
#include "core/money.h"

namespace gpuassay {
namespace {

using nlohmann::json;

json money(const std::optional<Micros>& micros) { return micros ? json(format_micros(*micros)) : json(nullptr); }

}  // namespace

nlohmann::json price_answer_json(const PriceAnswer& answer) {
  return {{"match_level", answer.match_level},
          {"reason", or_null(answer.reason)},
          {"price_id", or_null(answer.price_id)},
          {"price_provider", or_null(answer.price_provider)},
          {"source_ref", or_null(answer.source_ref)},
          {"amount", or_null(answer.amount)},
          {"currency", or_null(answer.currency)},
          {"unit", or_null(answer.unit)},
          {"fx_rate", or_null(answer.fx_rate)},
          {"fx_date", or_null(answer.fx_date)},
          {"price_instance_hour_usd", money(answer.price_instance_hour_usd)},
          {"price_gpu_hour_usd", money(answer.price_gpu_hour_usd)},
          {"candidates", answer.candidates},
          {"lowest_gpu_hour_usd", money(answer.lowest_gpu_hour_usd)},
          {"highest_gpu_hour_usd", money(answer.highest_gpu_hour_usd)},
          {"region_match", or_null(answer.region_match)},
          {"memory_check", or_null(answer.memory_check)},
          {"variant_check", or_null(answer.variant_check)},
          {"count_scaled", or_null(answer.count_scaled)},
          {"age_days", or_null(answer.age_days)},
          {"stale", or_null(answer.stale)},
          {"as_of_precision", or_null(answer.as_of_precision)},
          {"tax", or_null(answer.tax)},
          {"pricing_model", answer.pricing_model},
          {"pricing_model_assumed", answer.pricing_model_assumed},
          {"cost_basis", or_null(answer.cost_basis)},
          {"cost_hour_usd", money(answer.cost_hour_usd)},
          {"score_per_usd_hour", or_null(answer.score_per_usd_hour)}};
}

}  // namespace gpuassay
