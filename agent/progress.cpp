#include "agent/progress.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/enums.h"

namespace gpuassay {
namespace {

constexpr int kBarWidth = 12;

std::string bar(std::size_t finished, std::size_t total) {
  const std::size_t filled = total == 0 ? 0 : std::min<std::size_t>(kBarWidth, finished * kBarWidth / total);
  return fmt::format("[{}{}]", std::string(filled, '#'), std::string(kBarWidth - filled, '.'));
}

}  // namespace

std::string progress_line(const ProgressState& state, int columns) {
  constexpr double kSecondsPerHour = 3600;
  std::string line = fmt::format("{} {}/{} {:.0f}/{:.0f} s", bar(state.finished, state.total), state.finished,
                                 state.total, state.elapsed_s, state.budget_s);
  if (state.usd_per_hour) {
    line += fmt::format("  {:.4f} USD", *state.usd_per_hour * state.elapsed_s / kSecondsPerHour);
  }
  if (!state.last_figure.empty()) line += "  " + state.last_figure;
  line += "  " + state.case_id;
  // One column stays free: writing into the last one makes some terminals wrap.
  if (line.size() >= static_cast<std::size_t>(columns)) line.resize(static_cast<std::size_t>(columns) - 1);
  return line;
}

std::string figure_text(const Measurement& m) {
  if (m.metric) return fmt::format("{:#.3g} {}", m.metric->value, m.metric->unit);
  return fmt::format("{} ({})", to_name(m.status), m.reason.value_or("no reason"));
}

Progress::Progress(std::FILE* stream, TextStyle style, Verbosity verbosity)
    : stream_(stream), style_(style), verbosity_(verbosity) {}

Progress::~Progress() { clear_live_line(); }

void Progress::clear_live_line() {
  if (!line_shown_) return;
  std::fputs("\r\033[K", stream_);
  std::fflush(stream_);
  line_shown_ = false;
}

void Progress::warn(const std::string& line) {
  clear_live_line();
  std::fprintf(stream_, "gpuassay: %s\n", line.c_str());
}

void Progress::say(const std::string& line) {
  if (verbosity_ != Verbosity::quiet) warn(line);
}

void Progress::update(const ProgressState& state) {
  if (!style_.live || verbosity_ == Verbosity::quiet) return;
  std::fprintf(stream_, "\r\033[K%s", progress_line(state, style_.columns).c_str());
  std::fflush(stream_);
  line_shown_ = true;
}

void Progress::finished_case(const Measurement& m) {
  if (verbosity_ == Verbosity::verbose) warn(fmt::format("{}: {}", m.id, figure_text(m)));
}

}  // namespace gpuassay
