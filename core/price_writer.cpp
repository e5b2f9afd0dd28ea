#include "core/price_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "core/error.h"
#include "core/signature.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

std::string start_text(const PriceRow& row) {
  return row.valid_from_ms ? format_rfc3339_ms(*row.valid_from_ms) : "an unknown date";
}

[[noreturn]] void refuse(const PriceRow& row, std::string_view why) {
  throw Error(ErrorCode::unreadable_input,
              fmt::format("{}: the price of {} {} from {}: {}; nothing was imported, repair the file", row.source_ref,
                          row.provider, row.gpu_model, start_text(row), why));
}

constexpr std::string_view kContradiction = "another amount is stored for the same offer and instant";
constexpr std::string_view kOverlap = "its interval overlaps another one of the same offer";

/// Whether both say the same price, however they write it.
bool is_same_price(const PriceRow& row, const StoredPrice& stored) {
  if (!row.amount || !stored.amount) return row.amount.has_value() == stored.amount.has_value();
  return row.price_instance_hour == stored.instance_hour;
}

bool holds_at(const StoredPrice& price, std::int64_t instant_ms) {
  return !price.valid_to_ms || instant_ms < *price.valid_to_ms;
}

}  // namespace

PriceWriter::PriceWriter(Database& database, const std::optional<CompleteList>& list)
    : table_(database), list_(list), list_stands_for_sightings_(list && !has_gaps(*list)) {}

void PriceWriter::write(PriceRow row) {
  const std::string series = sha256_hex(series_key(row));
  if (list_) written_.insert(series);
  Outcome outcome = Outcome::unchanged;
  if (!row.valid_from_ms) {
    outcome = write_undated(row, series);
  } else if (row.valid_to_ms) {
    outcome = write_stated(row, series);
  } else {
    outcome = write_observed(std::move(row), series);
  }
  changes_.unchanged += outcome == Outcome::unchanged ? 1U : 0U;
  changes_.confirmed += outcome == Outcome::confirmed ? 1U : 0U;
  changes_.inserted += outcome == Outcome::inserted ? 1U : 0U;
}

PriceWriter::Outcome PriceWriter::write_undated(const PriceRow& row, const std::string& series) {
  const auto known = table_.find_undated(series);
  return known ? write_again(row, *known, series) : insert(row, series, false);
}

PriceWriter::Outcome PriceWriter::write_stated(const PriceRow& row, const std::string& series) {
  const auto before = table_.find_before(series, *row.valid_from_ms);
  const auto after = table_.find_after(series, *row.valid_from_ms);
  if (after && *row.valid_to_ms > *after->valid_from_ms) refuse(row, kOverlap);
  if (before && before->valid_from_ms == row.valid_from_ms) return write_again(row, *before, series);
  if (before && holds_at(*before, *row.valid_from_ms)) refuse(row, kOverlap);
  return insert(row, series, true);
}

PriceWriter::Outcome PriceWriter::write_observed(PriceRow row, const std::string& series) {
  // "From then on, seen until now" are two observations.
  const std::int64_t last_seen_ms = row.observed_at_ms;
  row.observed_at_ms = *row.valid_from_ms;
  const Outcome first = observe(row, series);
  if (last_seen_ms <= *row.valid_from_ms) return first;
  row.valid_from_ms = row.observed_at_ms = last_seen_ms;
  row.given_id.reset();
  return std::max(first, observe(std::move(row), series));
}

PriceWriter::Outcome PriceWriter::observe(PriceRow row, const std::string& series) {
  const std::int64_t instant_ms = *row.valid_from_ms;
  const auto before = table_.find_before(series, instant_ms);
  if (before && before->valid_from_ms == instant_ms) return write_again(row, *before, series);
  if (before && holds_at(*before, instant_ms)) {
    if (is_same_price(row, *before)) return confirm(row, *before, series);
    if (before->end_is_stated) refuse(row, kOverlap);
    if (before->observed_at_ms >= instant_ms && was_seen_at(series, row.source, instant_ms))
      refuse(row, kContradiction);
    const auto resumed = cut(*before, series, row.source, instant_ms);
    row.valid_to_ms = resumed ? resumed : before->valid_to_ms;
  } else {
    const auto after = table_.find_after(series, instant_ms);
    row.valid_to_ms = table_.first_list_after(row.source, instant_ms);
    if (after && (!row.valid_to_ms || *after->valid_from_ms < *row.valid_to_ms)) row.valid_to_ms = after->valid_from_ms;
  }
  absorb_next(row, series);
  return insert(row, series, false);
}

bool PriceWriter::was_seen_at(const std::string& series, std::string_view source, std::int64_t instant_ms) {
  return table_.last_seen_before(series, source, instant_ms, instant_ms + 1).has_value();
}

std::optional<std::int64_t> PriceWriter::cut(const StoredPrice& stored, const std::string& series,
                                             std::string_view source, std::int64_t instant_ms) {
  std::optional<std::int64_t> resumed_ms;
  if (stored.observed_at_ms > instant_ms) {
    resumed_ms =
        table_.first_seen_after(series, source, instant_ms, stored.observed_at_ms).value_or(stored.observed_at_ms);
    table_.insert_resumed(stored, price_id(series, resumed_ms, source), *resumed_ms);
    table_.set_observed(
        stored.price_id,
        table_.last_seen_before(series, source, *stored.valid_from_ms, instant_ms).value_or(*stored.valid_from_ms));
  }
  table_.set_end(stored.price_id, instant_ms, false);
  return resumed_ms;
}

void PriceWriter::absorb_next(PriceRow& row, const std::string& series) {
  const auto next = table_.find_after(series, *row.valid_from_ms);
  if (!next || next->valid_from_ms != row.valid_to_ms || next->end_is_stated || !is_same_price(row, *next)) return;
  table_.add_sighting(series, *next->valid_from_ms);
  row.valid_to_ms = next->valid_to_ms;
  row.observed_at_ms = next->observed_at_ms;
  table_.remove(next->price_id);
}

PriceWriter::Outcome PriceWriter::write_again(const PriceRow& row, const StoredPrice& stored,
                                              const std::string& series) {
  if (!is_same_price(row, stored)) refuse(row, kContradiction);
  if (gpu_memory_mib(row) != stored.gpu_memory_mib)
    refuse(row, "another memory of its GPUs is stored for the same offer and instant");
  if (row.valid_to_ms) {
    if (stored.end_is_stated && row.valid_to_ms != stored.valid_to_ms)
      refuse(row, "another end is stored for the same offer and instant");
    if (!stored.end_is_stated) table_.set_end(stored.price_id, *row.valid_to_ms, true);
  }
  return confirm(row, stored, series);
}

PriceWriter::Outcome PriceWriter::confirm(const PriceRow& row, const StoredPrice& stored, const std::string& series) {
  if (!list_stands_for_sightings_ && row.observed_at_ms > stored.valid_from_ms.value_or(row.observed_at_ms))
    table_.add_sighting(series, row.observed_at_ms);
  if (row.observed_at_ms <= stored.observed_at_ms) return Outcome::unchanged;
  table_.set_observed(stored.price_id, row.observed_at_ms);
  return Outcome::confirmed;
}

PriceWriter::Outcome PriceWriter::insert(const PriceRow& row, const std::string& series, bool end_is_stated) {
  const std::string id = price_id(row);
  if (row.given_id && table_.has_id(id)) refuse(row, fmt::format("its price_id {} is that of another price", id));
  table_.insert(row, id, series, end_is_stated);
  return Outcome::inserted;
}

bool PriceWriter::has_gaps(const CompleteList& list) {
  return !list.unread.empty() &&
         table_.any_offer(list.source, [&](const auto& offer_key, const auto& instance_key, const auto& region) {
           return list.unread.may_hold(offer_key, instance_key, region);
         });
}

void PriceWriter::end_missing() {
  if (table_.has_list(list_->source, list_->instant_ms)) return;  // read before, as a whole
  for (const OfferEnd& offer : table_.holding_at(list_->source, list_->instant_ms)) {
    if (written_.contains(offer.series_key) ||
        list_->unread.may_hold(offer.offer_key, offer.instance_key, offer.region))
      continue;
    cut(offer.price, offer.series_key, list_->source, list_->instant_ms);
    ++changes_.closed;
  }
  // A list with gaps cannot say, when an older one is imported later, that its offers had ended by then.
  if (list_stands_for_sightings_) table_.add_list(list_->source, list_->instant_ms);
}

void require_no_overlap(const std::vector<PriceRow>& rows) {
  std::unordered_map<std::string, std::int64_t> stated_end_of;
  for (const PriceRow& row : rows) {
    if (!row.valid_from_ms) continue;
    const std::string key = series_key(row);
    const auto known = stated_end_of.find(key);
    if (known != stated_end_of.end() && *row.valid_from_ms < known->second) refuse(row, kOverlap);
    if (row.valid_to_ms) stated_end_of[key] = *row.valid_to_ms;
  }
}

}  // namespace gpuassay
