#include "agent/commands/earlier_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "agent/commands/result_file.h"
#include "agent/commands/send.h"
#include "agent/exit_code.h"
#include "agent/report.h"
#include "core/error.h"
#include "core/result_json.h"

namespace gpuassay {
namespace {

bool is_settled(const std::string& run_id, const Spool& spool) {
  constexpr std::array kEnds{kReceiptSuffix, kRejectedSuffix, kWithdrawnSuffix};
  return std::any_of(kEnds.begin(), kEnds.end(), [&](const char* end) { return spool.read(run_id + end).has_value(); });
}

/// False when something that was asked for could not be done, which is told.
bool deliver(const std::string& run_id, const RunOptions& options, const std::optional<CollectorTarget>& wanted,
             const std::optional<Spool>& spool, const Environment& environment, Progress& progress) {
  if (!options.out && !options.json && !wanted) return true;
  const auto body = spool ? spool->read(run_id + ".json") : std::nullopt;
  if (!body) {
    progress.warn(fmt::format("the result {} is not there any more", run_id));
    return false;
  }
  bool done = true;
  if (options.out) {
    try {
      write_result_file(*options.out, *body);
    } catch (const Error& error) {
      progress.warn(error.what());
      done = false;
    }
  }
  if (options.json) done = print_out(*body + "\n") && done;
  if (wanted && !is_settled(run_id, *spool)) {
    const SendReport sent = send(run_id, *body, *wanted, spool, environment, kRunPatience);
    for (const std::string& note : sent.notes) progress.say(printable(note));
    done = sent.accepted && done;
  }
  return done;
}

}  // namespace

int use_earlier_run(const OnceMarker& once, const RunOptions& options, const std::optional<CollectorTarget>& wanted,
                    const std::optional<Spool>& spool, const Environment& environment, Progress& progress) {
  const bool given_up = once.answer() == OnceAnswer::given_up;
  given_up ? progress.warn(once.explanation()) : progress.say(once.explanation());
  if (!deliver(once.earlier_run(), options, wanted, spool, environment, progress)) return kExitNotSaved;
  if (!options.requirements.empty()) {
    const auto body = spool ? spool->read(once.earlier_run() + ".json") : std::nullopt;
    if (!body) {
      progress.warn("the result that was to be good enough is not there any more; remove the marker to measure again");
      return kExitNotSaved;
    }
    const std::vector<std::string> unmet = unmet_requirements(options.requirements, parse_result(*body));
    for (const std::string& line : unmet) progress.warn(line);
    if (!unmet.empty()) return kExitRequirement;
  }
  return given_up ? kExitPartial : kExitOk;
}

}  // namespace gpuassay
