// Has the person at the terminal agreed to contribute results, to whom, and to which wording? Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/text_style.h"

namespace gpuassay {

/// Counts up whenever consent_question() comes to mean something else: everybody is then asked again.
inline constexpr int kConsentQuestionVersion = 1;

/// An answer as it is remembered in DATA/consent.json.
struct Consent {
  bool granted = false;
  int question_version = 0;
  std::string collector;    ///< URL
  std::string answered_at;  ///< RFC 3339, UTC
};

/// The file's text; one line.
std::string consent_text(const Consent& consent);

/// Empty for a file that is damaged or not ours: the question is asked again, which is always safe.
std::optional<Consent> parse_consent(std::string_view text);

/// True when `consent` answers this version of the question for this collector.
bool answers(const Consent& consent, std::string_view collector);

/// What the question names: commands and links are shown whole, for copying.
struct ConsentSubject {
  std::string collector, link;
  std::string show_command;    ///< prints what would be sent
  std::string delete_command;  ///< takes it back
};

/// The question, several lines, without the prompt.
std::string consent_question(const ConsentSubject& subject, const TextStyle& style);

/// Yes is "y" or "yes" in any case, with spaces around; everything else, also nothing, is no.
bool is_yes(std::string_view answer);

/// When may a run ask? A terminal on both sides and nothing on the command line that decides already.
struct AskingSituation {
  bool stdin_terminal = false, stderr_terminal = false;
  bool in_foreground = true;
  bool upload_given = false, offline = false, json = false, quiet = false;
};
bool may_ask(const AskingSituation& situation);

}  // namespace gpuassay
