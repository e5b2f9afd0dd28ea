// What is answered to those who ask about the dataset? No HTTP library in here.
#pragma once

#include <functional>
#include <memory>

#include "collector/aggregates.h"
#include "collector/export/surrogates.h"
#include "collector/export_file.h"
#include "collector/http_message.h"
#include "collector/store.h"

namespace gpuassay {

/// The GET requests. Safe to use from any thread. Throws Error{usage} for a parameter that is wrong, Error{database}.
class ReadRoutes {
 public:
  /// `aggregates` gives the last ones that were made, null before the first. `exports` must outlive the replies.
  ReadRoutes(const RunStore& store, Surrogates names, ExportSpace& exports,
             std::function<std::shared_ptr<const Aggregates>()> aggregates);

  /// /v1/results: filters, pages.
  [[nodiscard]] HttpReply list(const HttpRequest& request) const;
  /// /v1/results/{id}: the document that was signed, its hashed identifiers keyed again (published_result.h). /r/{id}:
  /// a page about it.
  [[nodiscard]] HttpReply result(std::string_view run_id) const;
  [[nodiscard]] HttpReply page(std::string_view run_id) const;
  /// /v1/gpus, /v1/offers, /v1/percentile.
  [[nodiscard]] HttpReply gpus(const HttpRequest& request) const;
  [[nodiscard]] HttpReply offers(const HttpRequest& request) const;
  [[nodiscard]] HttpReply percentile(const HttpRequest& request) const;
  /// How long ago the aggregates were made, by a clock that is never set; empty before the first.
  [[nodiscard]] std::optional<double> aggregates_age_s() const;
  /// /v1/export.csv and .ndjson: one snapshot, written to a file without a name first, so that a slow reader holds up
  /// no writer. The reply is one that is made when `make` is called.
  [[nodiscard]] HttpReply export_csv(const HttpRequest& request) const;
  [[nodiscard]] HttpReply export_ndjson(const HttpRequest& request) const;

 private:
  [[nodiscard]] HttpReply export_runs(const HttpRequest& request, const char* content_type, const std::string& header,
                                      std::string (*line_of)(const RunColumns&)) const;

  const RunStore& store_;
  Surrogates names_;
  ExportSpace& exports_;
  std::function<std::shared_ptr<const Aggregates>()> aggregates_;
};

}  // namespace gpuassay
