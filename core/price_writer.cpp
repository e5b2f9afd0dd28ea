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

/// Whether both say the same price of the same card, however they write it.
bool is_same_price(const PriceRow& row, const StoredPrice& stored) {
  if (gpu_memory_mib(row) != stored.gpu_memory_mib) return false;
  if (!row.amount || !stored.amount) return row.amount.has_value() == stored.amount.has_value();
  return row.price_instance_hour == stored.instance_hour;
}

bool holds_at(const StoredPrice& price, std::int64_t instant_ms) {
  return !price.valid_to_ms || instant_ms < *price.valid_to_ms;
}

}  // namespace

PriceWriter::PriceWriter(Database& database, const std::optional<CompleteList>& list) : table_(database), list_(list) {}

void PriceWriter::write(PriceRow row) {
  const OfferSeries series = series_of(row);
  if (list_) written_.insert(series.key);
  Outcome outcome = Outcome::unchanged;
  if (!row.valid_from_ms) {
    outcome = write_undated(row, series);
  } else if (row.valid_to_ms) {
    outcome = write_stated(std::move(row), series);
  } else {
    outcome = write_observed(std::move(row), series);
  }
  changes_.unchanged += outcome == Outcome::unchanged ? 1U : 0U;
  changes_.confirmed += outcome == Outcome::confirmed ? 1U : 0U;
  changes_.inserted += outcome == Outcome::inserted ? 1U : 0U;
}

PriceWriter::Outcome PriceWriter::write_undated(const PriceRow& row, const OfferSeries& series) {
  const auto known = table_.find_undated(series.key);
  return known ? write_again(row, *known, series) : insert(row, series, false);
}

PriceWriter::Outcome PriceWriter::write_stated(PriceRow row, const OfferSeries& series) {
  const std::int64_t from_ms = *row.valid_from_ms;
  const auto before = table_.find_before(series.key, from_ms);
  absorb_into_stated(row, series);
  if (before && before->valid_from_ms == from_ms) {
    if (!before->end_is_stated) cut_at_stated_end(row, *before, series);
    return write_again(row, *before, series);
  }
  if (before && holds_at(*before, from_ms)) {
    const bool was_seen_within =
        before->observed_at_ms >= from_ms &&
        table_.first_seen_after(series, from_ms - 1, before->observed_at_ms).value_or(before->observed_at_ms) <
            *row.valid_to_ms;
    if (before->end_is_stated || was_seen_within) refuse(row, kOverlap);
    cut(*before, series, from_ms);
  }
  return insert(row, series, true);
}

void PriceWriter::absorb_into_stated(PriceRow& row, const OfferSeries& series) {
  while (const auto after = table_.find_after(series.key, *row.valid_from_ms)) {
    if (*row.valid_to_ms <= *after->valid_from_ms) return;
    if (after->end_is_stated || !is_same_price(row, *after)) refuse(row, kOverlap);
    if (cut_at_stated_end(row, *after, series)) continue;  // what is left of it is absorbed next
    table_.add_sighting(series.key, *after->valid_from_ms);
    row.observed_at_ms = std::max(row.observed_at_ms, after->observed_at_ms);
    table_.remove(after->price_id);
  }
}

bool PriceWriter::cut_at_stated_end(const PriceRow& row, const StoredPrice& stored, const OfferSeries& series) {
  const std::int64_t last_ms = *row.valid_to_ms - 1;  // a sighting at the end itself is of what comes after
  if (stored.observed_at_ms <= last_ms) return false;
  if (*stored.valid_from_ms >= last_ms) refuse(row, kOverlap);
  cut(stored, series, last_ms);
  return true;
}

PriceWriter::Outcome PriceWriter::write_observed(PriceRow row, const OfferSeries& series) {
  // "From then on, seen until now" are two observations.
  const std::int64_t last_seen_ms = row.observed_at_ms;
  row.observed_at_ms = *row.valid_from_ms;
  const Outcome first = observe(row, series);
  if (last_seen_ms <= *row.valid_from_ms) return first;
  row.valid_from_ms = row.observed_at_ms = last_seen_ms;
  row.given_id.reset();
  return std::max(first, observe(std::move(row), series));
}

PriceWriter::Outcome PriceWriter::observe(PriceRow row, const OfferSeries& series) {
  const std::int64_t instant_ms = *row.valid_from_ms;
  const auto before = table_.find_before(series.key, instant_ms);
  if (before && before->valid_from_ms == instant_ms) return write_again(row, *before, series);
  if (before && holds_at(*before, instant_ms)) {
    if (is_same_price(row, *before)) return confirm(row, *before, series);
    if (before->end_is_stated) refuse(row, kOverlap);
    if (before->observed_at_ms >= instant_ms && was_seen_at(series, instant_ms)) refuse(row, kContradiction);
    const auto resumed = cut(*before, series, instant_ms);
    row.valid_to_ms = resumed ? resumed : before->valid_to_ms;
  } else {
    const auto after = table_.find_after(series.key, instant_ms);
    row.valid_to_ms = table_.first_list_after(series, instant_ms);
    if (after && (!row.valid_to_ms || *after->valid_from_ms < *row.valid_to_ms)) row.valid_to_ms = after->valid_from_ms;
  }
  absorb_next(row, series);
  if (before && before->valid_to_ms == instant_ms && !before->end_is_stated && is_same_price(row, *before)) {
    rejoin(*before, row, series);
    return Outcome::confirmed;
  }
  return insert(row, series, false);
}

void PriceWriter::rejoin(const StoredPrice& before, const PriceRow& row, const OfferSeries& series) {
  table_.add_sighting(series.key, *row.valid_from_ms);
  table_.set_end(before.price_id, row.valid_to_ms, false);
  table_.set_observed(before.price_id, row.observed_at_ms);
}

bool PriceWriter::was_seen_at(const OfferSeries& series, std::int64_t instant_ms) {
  return table_.last_seen_before(series, instant_ms, instant_ms + 1).has_value();
}

std::optional<std::int64_t> PriceWriter::cut(const StoredPrice& stored, const OfferSeries& series,
                                             std::int64_t instant_ms) {
  std::optional<std::int64_t> resumed_ms;
  if (stored.observed_at_ms > instant_ms) {
    resumed_ms = table_.first_seen_after(series, instant_ms, stored.observed_at_ms).value_or(stored.observed_at_ms);
    table_.insert_resumed(stored, price_id(series.key, resumed_ms, series.source), *resumed_ms);
    table_.set_observed(
        stored.price_id,
        table_.last_seen_before(series, *stored.valid_from_ms, instant_ms).value_or(*stored.valid_from_ms));
  }
  table_.set_end(stored.price_id, instant_ms, false);
  return resumed_ms;
}

void PriceWriter::absorb_next(PriceRow& row, const OfferSeries& series) {
  if (!row.valid_to_ms) return;
  const auto next = table_.find_after(series.key, *row.valid_from_ms);
  if (!next || next->valid_from_ms != row.valid_to_ms || next->end_is_stated || !is_same_price(row, *next)) return;
  table_.add_sighting(series.key, *next->valid_from_ms);
  row.valid_to_ms = next->valid_to_ms;
  row.observed_at_ms = next->observed_at_ms;
  table_.remove(next->price_id);
}

PriceWriter::Outcome PriceWriter::write_again(const PriceRow& row, const StoredPrice& stored,
                                              const OfferSeries& series) {
  if (!is_same_price(row, stored)) refuse(row, kContradiction);
  if (row.valid_to_ms) {
    if (stored.end_is_stated && row.valid_to_ms != stored.valid_to_ms)
      refuse(row, "another end is stored for the same offer and instant");
    if (!stored.end_is_stated) table_.set_end(stored.price_id, row.valid_to_ms, true);
  }
  return confirm(row, stored, series);
}

PriceWriter::Outcome PriceWriter::confirm(const PriceRow& row, const StoredPrice& stored, const OfferSeries& series) {
  // A list stands for the sightings of its offers, but not of those that it has an unreadable line of, too.
  const bool list_says_it = list_ && !list_->unread.may_hold(series.offer_key, series.instance_key, series.region);
  if (!list_says_it && row.observed_at_ms > stored.valid_from_ms.value_or(row.observed_at_ms))
    table_.add_sighting(series.key, row.observed_at_ms);
  if (row.observed_at_ms <= stored.observed_at_ms) return Outcome::unchanged;
  table_.set_observed(stored.price_id, row.observed_at_ms);
  return Outcome::confirmed;
}

PriceWriter::Outcome PriceWriter::insert(const PriceRow& row, const OfferSeries& series, bool end_is_stated) {
  const std::string id = price_id(row);
  if (row.given_id && table_.has_id(id)) refuse(row, fmt::format("its price_id {} is that of another price", id));
  table_.insert(row, id, series.key, end_is_stated);
  return Outcome::inserted;
}

void PriceWriter::end_missing() {
  if (table_.has_list(list_->source, list_->instant_ms)) return;  // read before
  for (const OfferEnd& offer : table_.holding_at(list_->source, list_->instant_ms)) {
    const OfferSeries& series = offer.series;
    if (written_.contains(series.key) || list_->unread.may_hold(series.offer_key, series.instance_key, series.region))
      continue;
    cut(offer.price, series, list_->instant_ms);
    ++changes_.closed;
  }
  table_.add_list(*list_);
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
