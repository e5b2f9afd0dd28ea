#include "core/price_compose.h"

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <set>

#include "core/error.h"
#include "core/machine_sizes.h"
#include "core/price_checks.h"

namespace gpuassay {
namespace {

/// What the parts of one machine have in common.
std::string place_and_time(const PriceRow& row) {
  return fmt::format("{}|{}|{}|{}|{}|{}|{}|{}", row.provider, row.region.value_or(""), row.zone.value_or(""),
                     row.pricing_model, row.commitment_months.value_or(0), row.currency, row.source,
                     row.valid_from_ms.value_or(-1));
}

std::string model_key(const PriceRow& row) { return fmt::format("{}|{}", place_and_time(row), row.gpu_model); }

std::string addon_key(const PriceRow& row) {
  return fmt::format("{}|{}|{}|{}", place_and_time(row), row.gpu_model, gpu_memory_mib(row).value_or(0), row.gpu_count);
}

/// Digits and point of a decimal.
std::string text_of(const Decimal& value) {
  std::string digits = std::to_string(value.digits);
  if (value.places == 0) return digits;
  if (digits.size() <= value.places) digits.insert(0, value.places + 1 - digits.size(), '0');
  digits.insert(digits.size() - value.places, ".");
  return digits;
}

/// host + count x addon, exactly.
std::string sum_text(const std::string& host, const std::string& addon, std::uint64_t count) {
  Decimal left = parse_decimal(host);
  Decimal right = parse_decimal(addon);
  const auto widen = [](Decimal& value, unsigned places) {
    for (; value.places < places; ++value.places) {
      if (value.digits > UINT64_MAX / 10) throw Error(ErrorCode::unreadable_input, "an amount has too many digits");
      value.digits *= 10;
    }
  };
  widen(left, right.places);
  widen(right, left.places);
  if (count == 0 || right.digits > (UINT64_MAX - left.digits) / count)
    throw Error(ErrorCode::unreadable_input, "an amount has too many digits");
  return text_of({left.digits + right.digits * count, left.places});
}

/// Zero is no price: a part of which it is published has none.
bool has_price(const PriceRow& part) { return part.amount && part.price_instance_hour.value_or(0) > 0; }

class Composer {
 public:
  Composer(const PriceImport& import, const FxTable& rates) : rates_(rates) {
    for (const PriceRow& row : import.rows) {
      if (row.basis != PriceBasis::gpu_addon) continue;
      addons_[addon_key(row)] = &row;
      if (row.gpu_memory_gib_total) told_apart_by_memory_.insert(model_key(row));
    }
  }

  /// The derived offer of a host; empty when it has no GPU.
  std::optional<PriceRow> compose(const PriceRow& host) const {
    PriceRow offer = host;
    if (!set_gpu(offer)) return std::nullopt;
    offer.basis = PriceBasis::instance;
    offer.confidence = Confidence::inferred;
    offer.given_id.reset();
    const PriceRow* addon = find_addon(offer, offer.gpu_count);
    if (addon == nullptr) addon = find_addon(offer, kOneDevice);
    if (addon == nullptr || !has_price(*addon) || !has_price(host) || addon->unit != host.unit) {
      offer.amount.reset();
      offer.component_missing = true;
      offer.note = "derived: host and GPUs are priced apart and one has no price";
    } else {
      offer.amount = sum_text(*host.amount, *addon->amount, static_cast<std::uint64_t>(offer.gpu_count / kOneDevice));
      offer.note = fmt::format("derived: host + {} x GPU of {}", offer.gpu_count / kOneDevice, addon->source_ref);
    }
    compute_hourly_prices(offer, rates_);
    return offer;
  }

 private:
  static constexpr Micros kOneDevice = 1'000'000;

  static bool set_gpu(PriceRow& offer) {
    const MachineSize* const size =
        offer.instance_type ? find_machine_size(offer.provider, *offer.instance_type) : nullptr;
    if (size == nullptr) return !offer.gpu_model.empty() && offer.gpu_count >= kOneDevice;
    offer.gpu_model = size->gpu_model;
    offer.gpu_variant = size->gpu_variant;
    offer.gpu_count = size->gpu_count;
    set_gpu_memory(offer, size->gpu_memory_gib);
    return offer.gpu_count % kOneDevice == 0;
  }

  [[nodiscard]] const PriceRow* find_addon(const PriceRow& offer, Micros count) const {
    const std::int64_t wanted_mib = gpu_memory_mib(offer).value_or(0);
    PriceRow key = offer;
    key.gpu_count = count;
    for (const std::int64_t mib : {wanted_mib, std::int64_t{0}}) {
      if (mib == 0 && told_apart_by_memory_.count(model_key(offer)) > 0) break;  // might be the other size
      key.gpu_memory_gib_total.reset();
      if (mib > 0) set_gpu_memory(key, mib * kOneDevice / 1024);
      const auto found = addons_.find(addon_key(key));
      if (found != addons_.end()) return found->second;
    }
    return nullptr;
  }

  const FxTable& rates_;
  std::map<std::string, const PriceRow*> addons_;
  std::set<std::string> told_apart_by_memory_;
};

}  // namespace

void add_composed_offers(PriceImport& import, const FxTable& rates) {
  const Composer composer(import, rates);
  std::vector<PriceRow> derived;
  for (const PriceRow& row : import.rows) {
    if (row.basis != PriceBasis::vm_only) continue;
    if (auto offer = composer.compose(row)) derived.push_back(*std::move(offer));
  }
  std::size_t missing = 0;
  for (PriceRow& offer : derived) {
    const std::string reason = reason_to_quarantine(offer);
    if (!reason.empty()) {
      import.report.warn(
          fmt::format("{}: the machine put together of parts is left out: {}", offer.source_ref, reason));
      continue;
    }
    missing += offer.component_missing ? 1U : 0U;
    import.rows.push_back(std::move(offer));
  }
  if (missing > 0)
    import.report.warn(
        fmt::format("{} machines lack the price of a part: kept, never joined (component_missing)", missing));
}

}  // namespace gpuassay
