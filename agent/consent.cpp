#include "agent/consent.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/text_page.h"
#include "core/ascii.h"
#include "core/error.h"
#include "core/json_guard.h"

namespace gpuassay {

std::string consent_text(const Consent& consent) {
  return nlohmann::json{{"granted", consent.granted},
                        {"question_version", consent.question_version},
                        {"collector", consent.collector},
                        {"answered_at", consent.answered_at}}
             .dump() +
         "\n";
}

std::optional<Consent> parse_consent(std::string_view text) {
  constexpr JsonLimits kLimits{4096, 2, 16, 2048};
  nlohmann::json object;
  try {
    object = parse_untrusted_json(text, kLimits);
  } catch (const Error&) {
    return std::nullopt;
  }
  const auto has = [&object](const char* name, nlohmann::json::value_t type) {
    const auto found = object.find(name);
    return found != object.end() && found->type() == type;
  };
  using Type = nlohmann::json::value_t;
  if (!object.is_object() || !has("granted", Type::boolean) || !has("question_version", Type::number_unsigned) ||
      !has("collector", Type::string) || !has("answered_at", Type::string))
    return std::nullopt;
  const auto version = object["question_version"].get<std::uint64_t>();
  constexpr std::uint64_t kHighestVersion = 1'000'000;
  return Consent{object["granted"].get<bool>(), static_cast<int>(std::min(version, kHighestVersion)),
                 object["collector"].get<std::string>(), object["answered_at"].get<std::string>()};
}

bool answers(const Consent& consent, std::string_view collector) {
  return consent.question_version == kConsentQuestionVersion && consent.collector == collector;
}

std::string consent_question(const ConsentSubject& subject, const TextStyle& style) {
  TextPage page(style);
  page.blank();
  page.prose("contribute", fmt::format("this result to the shared dataset at {}?", subject.collector), TextPage::kBold);
  page.prose("sent",
             "the result document alone, signed with this machine's key; it holds no host name, address, user name, "
             "path or raw machine id. See it with:");
  page.verbatim("", subject.show_command);
  page.prose("public", "for everyone under the licence CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/) at:");
  page.verbatim("", subject.link);
  page.prose("delete", "it there whenever you like with:");
  page.verbatim("", subject.delete_command);
  page.prose("remembered", "is the answer, for this collector and for later runs at a terminal");
  return page.take();
}

bool is_yes(std::string_view answer) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const std::size_t first = answer.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return false;
  const std::string word = lower_case(answer.substr(first, answer.find_last_not_of(kSpaces) - first + 1));
  return word == "y" || word == "yes";
}

bool may_ask(const AskingSituation& situation) {
  const bool decided = situation.upload_given || situation.offline || situation.json || situation.quiet;
  return situation.stdin_terminal && situation.stderr_terminal && situation.in_foreground && !decided;
}

}  // namespace gpuassay
