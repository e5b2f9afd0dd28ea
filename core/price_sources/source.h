// What does every reader of a price source share? Its input, its output, and how one line becomes a row.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/byte_source.h"
#include "core/complete_list.h"
#include "core/error.h"
#include "core/fx_rates.h"
#include "core/import_report.h"
#include "core/price_text.h"
#include "core/prices.h"

namespace gpuassay {

/// What the caller knows about the file and the file does not say.
struct SourceContext {
  std::string label;                    ///< name of the file, for source_ref
  std::optional<std::string> provider;  ///< slug
  std::optional<AsOf> as_of;            ///< when the catalogue was published or fetched
  FxTable rates = {};
  std::optional<std::int64_t> now_ms = {};  ///< what is observed later is refused; empty: no clock
};

/// What a file said: rows ready for the store, and what became of each line.
struct PriceImport {
  std::vector<PriceRow> rows;
  ImportReport report;
  std::optional<CompleteList> complete;  ///< set when the file lists every offer of its source
};

/// A reader of one format. Throws Error{unreadable_input} when the file as a whole is not of the format or damaged:
/// then nothing of it may be used.
using PriceReader = PriceImport (*)(ByteSource& source, const SourceContext& context);

/// A line that is read and is not the price of a GPU offer; any other Error{unreadable_input} is a line that cannot be
/// read.
class NoOffer : public Error {
 public:
  using Error::Error;
};
/// Says why a line is no price of a GPU offer: throws the NoOffer that RowCollector catches.
[[noreturn]] void reject_line(const std::string& reason);

/// Turns lines into checked rows and counts what became of each.
class RowCollector {
 public:
  explicit RowCollector(const SourceContext& context) : context_(context) {}

  /// Calls `fill`, computes the prices of the row and checks it. Error{unreadable_input} makes the line a
  /// rejected one; names and region, filled first, tell which offer that was. `place` is "line 3"; it becomes part of
  /// source_ref.
  void add(const std::string& place, const std::function<void(PriceRow&)>& fill);
  void reject(const std::string& place, const std::string& reason) { import_.report.reject(place, reason); }

  /// Rows of one offer at one instant that contradict each other are all quarantined when `is_catalog`; equal ones are
  /// kept once. A catalogue also gets its warnings.
  PriceImport finish(bool is_catalog);
  /// The same for a file that lists every offer of `source` at the instant.
  PriceImport finish_list(const std::string& source, const AsOf& as_of);

 private:
  const SourceContext& context_;
  PriceImport import_;
  UnreadOffers unread_;
};

/// `context.as_of`; throws Error{usage} that --as-of is needed for `format`.
const AsOf& needed_as_of(const SourceContext& context, std::string_view format);
const std::string& needed_provider(const SourceContext& context, std::string_view format);

/// Fills the fields that a live catalogue's rows share: source, kind, dates.
void describe_catalog_row(PriceRow& row, const AsOf& as_of, std::string_view source, std::string_view source_kind);

/// A list that says since when its prices hold, not when it was fetched, needs --as-of for that: else they look as old
/// as their last change.
void warn_about_age(PriceImport& import, const SourceContext& context);

/// Sets model, variant and memory from a GPU's name in the file. `memory_gib_each` is what another column says.
void name_gpu(PriceRow& row, std::string_view name, std::optional<Micros> memory_gib_each);

/// total = each x gpu_count, exactly.
void set_gpu_memory(PriceRow& row, std::optional<Micros> memory_gib_each);

/// parse_micros, empty for an empty text. Numbers may have an exponent.
std::optional<Micros> quantity(std::string_view text);

}  // namespace gpuassay
