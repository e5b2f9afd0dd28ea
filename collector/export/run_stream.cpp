#include "collector/export/run_stream.h"

#include <fmt/format.h>

#include "collector/export/run_tables.h"
#include "collector/run_query.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

std::int64_t begin_of(int year, int month) {
  constexpr std::int64_t kDayMs = 86'400'000;
  return days_since_epoch(year, month, 1) * kDayMs;
}

}  // namespace

Month month_at(std::int64_t instant_ms) {
  const std::string name = month_of(instant_ms);
  const int year = std::stoi(name.substr(0, 4));
  const int month = std::stoi(name.substr(5));
  constexpr int kDecember = 12;
  return {name, begin_of(year, month), month == kDecember ? begin_of(year + 1, 1) : begin_of(year, month + 1)};
}

RunStream::RunStream(Database& database, std::int64_t suppress_below)
    : database_(database), suppresses_(suppress_below > 1) {
  if (!suppresses_) return;
  // The common ones are kept, not the rare ones: nobody can make many of these alone.
  Statement query(database_, fmt::format("SELECT provider, COALESCE(instance_type, ''), COALESCE(region, ''), "
                                         "COALESCE(gpu_model, ''), gpu_count {} GROUP BY 1, 2, 3, 4, 5 "
                                         "HAVING COUNT(DISTINCT {}) >= ?",
                                         from_where({}), kMachineOfRun));
  query.bind(1, suppress_below);
  while (query.step()) common_.insert({query.text(0), query.text(1), query.text(2), query.text(3), query.integer(4)});
}

RunStream::Offer RunStream::offer_of(const RunColumns& run) {
  return {run.provider, run.instance_type.value_or(""), run.region.value_or(""), run.gpu_model.value_or(""),
          run.gpu_count};
}

std::optional<Month> RunStream::next_month(std::int64_t from_ms) const {
  RunFilter filter;
  filter.started_from_ms = from_ms;
  Statement query(database_, "SELECT MIN(started_at_ms) " + from_where(filter));
  bind_filter(query, filter);
  query.step();
  const auto first_ms = query.optional_integer(0);
  return first_ms ? std::optional(month_at(*first_ms)) : std::nullopt;
}

void RunStream::read(const Month& month, const Take& take) const {
  RunFilter filter;
  filter.started_from_ms = month.begin_ms;
  filter.started_before_ms = month.end_ms;
  // Bodies are read after sorting: the limit, which limits nothing, keeps SQLite from carrying them through it. The
  // hash of the body is an order by chance that is the same every time.
  Statement query(database_,
                  fmt::format("SELECT {0}, machine, (SELECT body FROM run_body WHERE run_body.run_id = sorted.run_id) "
                              "FROM (SELECT {0}, {3} AS machine {1} ORDER BY COALESCE(gpu_model, ''), body_sha256 "
                              "LIMIT {2}) AS sorted",
                              kRunColumns, from_where(filter), INT64_MAX, kMachineOfRun));
  bind_filter(query, filter);
  while (query.step()) {
    RunColumns run;
    const int machine = read_columns(query, run);
    take({run, query.text(machine), query.text(machine + 1), suppresses_ && common_.count(offer_of(run)) == 0});
  }
}

}  // namespace gpuassay
