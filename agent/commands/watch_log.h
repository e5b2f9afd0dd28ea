// Where do the lines of a watch go, so that nothing measured is lost? DATA/watch/WATCH_ID.jsonl, each line synced.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "agent/file_descriptor.h"
#include "agent/progress.h"
#include "agent/spool.h"

namespace gpuassay {

class WatchLog {
 public:
  /// Without a spool, which outlives this, nothing can be kept: the lines wait for the end. Throws Error{busy} while
  /// another watch runs.
  WatchLog(const std::optional<Spool>& spool, std::string watch_id, Progress& progress);

  /// A line {"KIND": value}. What cannot be written, which is told once, waits and is tried again with the next line.
  void append(const char* kind, const nlohmann::json& value);

  /// What could not be written until now.
  [[nodiscard]] const std::vector<std::string>& waiting() const { return waiting_; }
  /// Empty while there is none.
  [[nodiscard]] std::optional<std::string> file() const;

 private:
  const std::optional<Spool>& spool_;
  std::string watch_id_;
  Progress& progress_;
  std::optional<FileDescriptor> lock_;
  std::optional<Journal> lines_;
  std::vector<std::string> waiting_;
  bool is_told_ = false;
};

}  // namespace gpuassay
