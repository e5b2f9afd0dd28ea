// A watch for people and as JSON: one line of the file for each probe and event, and what came of all. docs/WATCH.md
// has the fields.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "agent/text_style.h"
#include "agent/watch_book.h"
#include "core/model.h"

namespace gpuassay {

/// A watch as it began.
struct WatchStart {
  std::string watch_id, started_at;
  double watch_s = 0, probing_limit_s = 0;
  std::optional<std::string> price_usd_per_hour;  ///< six places
  std::optional<std::string> earlier_run;         ///< with which probes are compared
};

/// And as it ended.
struct WatchEnd {
  std::string ended_at;
  std::string why;  ///< time, limit, interrupted
  std::string explanation;
  double elapsed_s = 0, probing_s = 0;
  bool saved = false;
  std::optional<std::string> file;  ///< where its lines are
};

/// "slower" while a figure is; "was_slower" when one was and is no more; "as_fast"; "too_few_probes" to tell anything.
std::string watch_verdict(const std::vector<FigureRecord>& figures);

nlohmann::json start_json(const WatchStart& start, const Result& machine);
nlohmann::json probe_json(const ProbeRecord& probe);
nlohmann::json event_json(const WatchEvent& event);
/// The document of --json.
nlohmann::json watch_json(const WatchStart& start, const Result& machine, const WatchBook& book,
                          const std::vector<WatchEvent>& events, const WatchEnd& end);

/// "probe 3: GPU 0 triad 271 GB/s (100 %)  GPU 0 gemm fp16 39.0 TFLOP/s (60 %)".
std::string probe_line(const ProbeRecord& probe, const WatchBook& book);
std::string watch_text(const WatchStart& start, const WatchBook& book, const std::vector<WatchEvent>& events,
                       const WatchEnd& end, const TextStyle& style);

/// What the probing of so many seconds cost, six places; empty without a price.
std::optional<std::string> probing_cost_usd(const WatchStart& start, double probing_s);

}  // namespace gpuassay
