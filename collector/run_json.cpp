#include "collector/run_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/json_or_null.h"
#include "core/price_json.h"
#include "core/timestamp.h"
#include "core/utf8.h"

namespace gpuassay {
namespace {

using nlohmann::json;

/// Null for what no text can say: earlier versions took in such instants, and one run must not spoil a whole page.
json instant_or_null(std::int64_t since_epoch_ms) {
  try {
    return format_rfc3339_ms(since_epoch_ms);
  } catch (const Error&) {
    return nullptr;
  }
}

/// Every field that is published of a run, by name and in the order of the columns.
std::vector<std::pair<const char*, json>> fields_of(const RunColumns& run) {
  return {{"run_id", run.run_id},
          {"received_at", instant_or_null(run.received_at_ms)},
          {"started_at", instant_or_null(run.started_at_ms)},
          {"trust", run.trust},
          {"simulated", run.simulated},
          {"quarantine_reason", or_null(run.quarantine_reason)},
          {"provider", run.provider},
          {"instance_type", or_null(run.instance_type)},
          {"region", or_null(run.region)},
          {"pricing_model", or_null(run.pricing_model)},
          {"gpu_model", or_null(run.gpu_model)},
          {"gpu_variant", or_null(run.gpu_variant)},
          {"gpu_count", run.gpu_count},
          {"gpu_memory_bytes", or_null(run.gpu_memory_bytes)},
          {"score_version", run.score_version},
          {"score", or_null(run.score)}};
}

json run_object(const RunColumns& run) {
  json object = json::object();
  for (auto& [name, value] : fields_of(run)) object[name] = std::move(value);
  return object;
}

/// Texts of machines are not Unicode by law: what is broken is replaced, never refused.
std::string dumped(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

/// As one line of what can be seen: without control characters and marks that reorder text. Ends of lines and tabs
/// separate words, and become spaces.
std::string shown_text(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return printable_utf8(text);
}

/// Spreadsheets skip blanks of many kinds before they decide, and some take the wide forms of East Asian text.
bool looks_like_formula(std::string_view text) {
  constexpr std::u32string_view kStarts = U"=+-@\uFF1D\uFF0B\uFF0D\uFF20";
  const auto first = first_visible(text);
  return first && kStarts.find(static_cast<char32_t>(*first)) != std::u32string_view::npos;
}

std::string csv_cell(const json& value) {
  if (value.is_null()) return {};
  if (!value.is_string()) return dumped(value);
  const std::string text = shown_text(value.get<std::string>());
  std::string cell = looks_like_formula(text) ? "\"'" : "\"";
  for (const char c : text) {
    if (c == '"') cell += '"';
    cell += c;
  }
  return cell + '"';
}

json spread_json(const Spread& score) {
  return {
      {"runs", score.runs}, {"machines", score.machines}, {"p10", score.p10}, {"p50", score.p50}, {"p90", score.p90}};
}

json headline_json(const std::optional<Spread>& headline) { return headline ? spread_json(*headline) : json(); }

json begin_aggregate(const Aggregates& aggregates) {
  return {{"as_of", format_rfc3339_ms(aggregates.as_of_ms)}, {"days", kAggregateDays}};
}

}  // namespace

std::string run_json(const RunColumns& run) { return dumped(run_object(run)); }

std::string run_csv_header() {
  std::string line;
  for (const auto& [name, value] : fields_of({})) line += fmt::format("{}{}", line.empty() ? "" : ",", name);
  return line + "\r\n";
}

std::string run_csv(const RunColumns& run) {
  std::string line;
  for (const auto& [name, value] : fields_of(run)) line += csv_cell(value) + ',';
  line.back() = '\r';
  return line + '\n';
}

std::string run_page_json(const RunPage& page) {
  json results = json::array();
  for (const RunColumns& run : page.runs) results.push_back(run_object(run));
  return dumped({{"results", results}, {"next", page.next ? json(cursor_text(*page.next)) : json(nullptr)}});
}

std::string gpus_json(const Aggregates& aggregates, const std::optional<std::string>& gpu_model,
                      const std::optional<std::string>& trust) {
  json gpus = json::array();
  for (const GpuAggregate& gpu : lists_of(aggregates, trust).gpus) {
    if (gpu_model && *gpu_model != gpu.gpu_model) continue;
    gpus.push_back({{"gpu_model", gpu.gpu_model},
                    {"gpu_count", gpu.gpu_count},
                    {"score_version", gpu.score_version},
                    {"score", spread_json(gpu.score)},
                    {"headline", headline_json(gpu.headline)}});
  }
  json document = begin_aggregate(aggregates);
  document["gpus"] = std::move(gpus);
  return dumped(document);
}

std::string offers_json(const Aggregates& aggregates, const OfferFilter& filter) {
  json offers = json::array();
  std::size_t total = 0;
  for (const OfferAggregate& offer : lists_of(aggregates, filter.trust).offers) {
    const RunFact& shape = offer.shape;
    if ((filter.gpu_model && *filter.gpu_model != shape.gpu_model) ||
        (filter.provider && *filter.provider != shape.provider))
      continue;
    if (total++ < filter.offset || offers.size() >= filter.limit) continue;
    offers.push_back({{"provider", shape.provider},
                      {"instance_type", or_null(shape.instance_type)},
                      {"region", or_null(shape.region)},
                      {"gpu_model", shape.gpu_model},
                      {"gpu_variant", or_null(shape.gpu_variant)},
                      {"gpu_count", shape.gpu_count},
                      {"gpu_memory_mib", or_null(shape.gpu_memory_mib)},
                      {"score_version", shape.score_version},
                      {"score", spread_json(offer.score)},
                      {"headline", headline_json(offer.headline)},
                      {"ranked", offer.ranked},
                      {"price", price_answer_json(offer.price)}});
  }
  json document = begin_aggregate(aggregates);
  document["total"] = total;
  document["offers"] = std::move(offers);
  return dumped(document);
}

std::string cursor_text(const RunCursor& cursor) { return fmt::format("{}.{}", cursor.received_at_ms, cursor.run_id); }

std::optional<RunCursor> parse_cursor(const std::string& text) {
  const std::size_t point = text.find('.');
  constexpr std::size_t kRunIdLength = 36;
  constexpr std::size_t kMostDigits = 18;
  if (point == std::string::npos || point == 0 || point > kMostDigits || text.size() - point - 1 != kRunIdLength ||
      text.find_first_not_of("0123456789") != point ||
      text.find_first_not_of("0123456789abcdef-", point + 1) != std::string::npos)
    return std::nullopt;
  RunCursor cursor;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + point, cursor.received_at_ms);
  if (problem != std::errc() || end != text.data() + point) return std::nullopt;
  cursor.run_id = text.substr(point + 1);
  return cursor;
}

std::string html_text(std::string_view text) {
  std::string escaped;
  for (const char c : shown_text(std::string(text))) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

std::string run_page(const RunColumns& run) {
  std::string rows;
  for (const auto& [name, value] : fields_of(run)) {
    if (value.is_null()) continue;
    rows += fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", name,
                        html_text(value.is_string() ? value.get<std::string>() : dumped(value)));
  }
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>gpuassay run {0}</title></head>\n"
      "<body><h1>{1}</h1>\n<table>\n{2}</table>\n<p><a href=\"/v1/results/{0}\">the whole "
      "document</a></p></body></html>\n",
      html_text(run.run_id),
      html_text(run.gpu_model ? fmt::format("{} x {}", run.gpu_count, *run.gpu_model)
                              : std::string("A machine without a GPU")),
      rows);
}

}  // namespace gpuassay
