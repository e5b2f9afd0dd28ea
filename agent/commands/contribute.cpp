#include "agent/commands/contribute.h"

#include <fmt/format.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>

#include "agent/commands/send.h"
#include "agent/consent.h"
#include "agent/text_page.h"
#include "core/error.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

constexpr const char* kConsentFile = "consent.json";
/// Somebody who has left must not keep a rented machine busy.
constexpr int kAnswerTimeMs = 60'000;

/// A background job that reads the terminal would be stopped.
bool in_foreground() {
  const pid_t group = ::tcgetpgrp(STDIN_FILENO);
  return group < 0 || group == ::getpgrp();
}

/// The line typed; empty when none came in time or the terminal closed.
std::optional<std::string> read_answer() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  if (::poll(&input, 1, kAnswerTimeMs) != 1) return std::nullopt;
  std::array<char, 256> line{};
  const ssize_t length = ::read(STDIN_FILENO, line.data(), line.size());
  if (length <= 0) return std::nullopt;
  return std::string(line.data(), static_cast<std::size_t>(length));
}

void tell(const std::string& text) { std::fputs(text.c_str(), stderr); }

/// The remembered answer, else a new one; empty when nobody answers.
std::optional<bool> granted(const std::string& run_id, const CollectorTarget& target, const Spool& spool,
                            const Environment& environment) {
  const auto remembered = parse_consent(spool.read_setting(kConsentFile).value_or(""));
  if (remembered && answers(*remembered, target.url)) return remembered->granted;
  tell(consent_question(
      {target.url, run_link(target.url, run_id), fmt::format("{} show {} --json", environment.invocation, run_id),
       delete_command(run_id, target, environment)},
      environment.err_style));
  ::tcflush(STDIN_FILENO, TCIFLUSH);  // what was typed while measuring answers nothing
  tell("  contribute it? [y/N] ");
  const auto answer = read_answer();
  if (!answer) {
    tell("\n  no answer: not sent, and asked again after the next run\n");
    return std::nullopt;
  }
  const Consent consent{is_yes(*answer), kConsentQuestionVersion, target.url, format_rfc3339_ms(unix_ms())};
  try {
    spool.replace_setting(kConsentFile, consent_text(consent));
  } catch (const Error& error) {
    tell(fmt::format("the answer cannot be remembered: {}\n", error.what()));
  }
  if (!consent.granted) tell("  not sent; the result stays on this machine\n");
  return consent.granted;
}

}  // namespace

std::optional<CollectorTarget> collector_to_ask_about(const RunOptions& options, const Environment& environment) {
  AskingSituation situation;
  situation.stdin_terminal = ::isatty(STDIN_FILENO) != 0;
  situation.stderr_terminal = ::isatty(STDERR_FILENO) != 0;
  situation.in_foreground = in_foreground();
  situation.upload_given = options.upload_url.has_value();
  situation.offline = options.offline;
  situation.json = options.json;
  situation.quiet = environment.verbosity == Verbosity::quiet;
  if (!environment.collector || !may_ask(situation)) return std::nullopt;
  return collector_target(*environment.collector, options.network);
}

bool offer_contribution(const Result& result, const std::string& body, const CollectorTarget& target,
                        const std::optional<Spool>& spool, const Environment& environment) {
  if (!granted(result.run_id, target, *spool, environment).value_or(false)) return true;
  const SendReport sent = send(result.run_id, body, target, spool, environment, kRunPatience);
  TextPage page(environment.err_style);
  for (const std::string& note : sent.notes) page.prose(&note == &sent.notes.front() ? "shared" : "", note);
  tell(page.take());
  return sent.accepted;
}

}  // namespace gpuassay
