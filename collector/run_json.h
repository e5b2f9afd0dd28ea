// How do runs and aggregates look from outside: as JSON, as a line of CSV, as a page? Pure. Never in it: keys, hashes
// of machines, addresses.
#pragma once

#include <string>

#include "collector/aggregates.h"
#include "collector/run_record.h"

namespace gpuassay {

/// One JSON object, without a line break.
std::string run_json(const RunColumns& run);

/// RFC 4180, with a line break; a text that a spreadsheet would take for a formula gets a leading apostrophe, whatever
/// blank or invisible characters come first. Control characters and marks that reorder text are left out.
std::string run_csv_header();
std::string run_csv(const RunColumns& run);

/// {"results":[...],"next":CURSOR or null}
std::string run_page_json(const RunPage& page);

/// {"as_of":...,"days":90,"gpus":[...]}; `gpu_model` empty: all.
std::string gpus_json(const Aggregates& aggregates, const std::optional<std::string>& gpu_model,
                      const std::optional<std::string>& trust);
/// Which offers, and of those the ones from `offset` on, `limit` at most.
struct OfferFilter {
  std::optional<std::string> gpu_model, provider, trust;
  std::size_t offset = 0, limit = 500;
};
/// {"as_of":...,"days":90,"total":...,"offers":[...]}, each with `price`, the fields of docs/PRICES.md.
std::string offers_json(const Aggregates& aggregates, const OfferFilter& filter);

/// The place of a page as text, and back; empty for any other text.
std::string cursor_text(const RunCursor& cursor);
std::optional<RunCursor> parse_cursor(const std::string& text);

/// '&', '<', '>' and '"' as HTML has them, and only what can be seen: no control characters, no marks that reorder
/// text.
std::string html_text(std::string_view text);
/// A plain page about one run.
std::string run_page(const RunColumns& run);

}  // namespace gpuassay
