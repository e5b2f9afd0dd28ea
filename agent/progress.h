// What the run is doing now, on stderr: one live line on a terminal, plain lines elsewhere.
#pragma once

#include <cstdio>
#include <optional>
#include <string>

#include "agent/text_style.h"
#include "core/model.h"

namespace gpuassay {

/// What the live line shows.
struct ProgressState {
  std::string case_id;
  std::size_t finished = 0, total = 0;
  double elapsed_s = 0, budget_s = 0;
  std::string last_figure;             ///< the figure just measured, e.g. "0.151 TFLOP/s"
  std::optional<double> usd_per_hour;  ///< for the money spent so far
};

/// One line of at most `columns` characters: case, bar, elapsed of budget, last figure, money.
std::string progress_line(const ProgressState& state, int columns);

/// "0.151 TFLOP/s" or, when there is no figure, the status and reason.
std::string figure_text(const Measurement& normalized);

enum class Verbosity { quiet, normal, verbose };

/// Writes to `stream`; never fails (a closed stderr is no reason to lose a run).
class Progress {
 public:
  Progress(std::FILE* stream, TextStyle style, Verbosity verbosity);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// A stage begins or something is worth telling: one plain line.
  void say(const std::string& line);
  /// The same, but also with --quiet: something the user must know.
  void warn(const std::string& line);
  /// Redraws the live line; with --verbose on a pipe prints finished cases.
  void update(const ProgressState& state);
  void finished_case(const Measurement& normalized);
  /// Removes the live line, so that other text can follow.
  void clear_live_line();

 private:
  std::FILE* stream_;
  TextStyle style_;
  Verbosity verbosity_;
  bool line_shown_ = false;
};

}  // namespace gpuassay
