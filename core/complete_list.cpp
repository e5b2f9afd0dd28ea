#include "core/complete_list.h"

#include "core/price_text.h"

namespace gpuassay {

void UnreadOffers::add(const PriceRow& row) {
  const auto& name = row.offer_id ? row.offer_id : row.instance_type;
  regions_of_[name ? instance_key(*name) : ""].insert(row.region.value_or(""));
}

bool UnreadOffers::may_hold(const std::optional<std::string>& offer_key, const std::optional<std::string>& instance_key,
                            const std::optional<std::string>& region) const {
  return holds("", region) || (offer_key && holds(*offer_key, region)) ||
         (instance_key && holds(*instance_key, region));
}

bool UnreadOffers::holds(const std::string& key, const std::optional<std::string>& region) const {
  const auto found = regions_of_.find(key);
  if (found == regions_of_.end()) return false;
  return !region || found->second.contains("") || found->second.contains(*region);
}

}  // namespace gpuassay
