#include "core/complete_list.h"

#include "core/price_text.h"

namespace gpuassay {

void UnreadOffers::add(const PriceRow& row) {
  const auto& name = row.offer_id ? row.offer_id : row.instance_type;
  if (!name) {
    nameless_ = true;
    return;
  }
  regions_of_[instance_key(*name)].insert(row.region.value_or(""));
}

bool UnreadOffers::may_hold(const std::optional<std::string>& offer_key, const std::optional<std::string>& instance_key,
                            const std::optional<std::string>& region) const {
  return nameless_ || holds(offer_key, region) || holds(instance_key, region);
}

bool UnreadOffers::holds(const std::optional<std::string>& key, const std::optional<std::string>& region) const {
  if (!key) return false;
  const auto found = regions_of_.find(*key);
  if (found == regions_of_.end()) return false;
  return !region || found->second.contains("") || found->second.contains(*region);
}

}  // namespace gpuassay
