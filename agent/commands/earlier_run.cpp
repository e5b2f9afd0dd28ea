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

/// The earlier result held to the requirements, if there are any: one that was wrong meets none.
int exit_code_of_gate(const std::string& run_id, const RunOptions& options, const std::optional<Spool>& spool,
                      Progress& progress) {
  if (options.requirements.empty()) return kExitOk;
  try {
    const auto body = spool ? spool->read(run_id + ".json") : std::nullopt;
    if (!body) throw Error(ErrorCode::not_saved, "it is not there any more");
    const Result result = parse_result(*body);
    const std::vector<std::string> unmet = unmet_requirements(options.requirements, result);
    for (const std::string& line : unmet) progress.warn(line);
    const int code = exit_code_for(result, {true, false, !unmet.empty()});
    return code == kExitPartial ? kExitOk : code;
  } catch (const Error& error) {
    progress.warn(fmt::format("the result {} cannot be held to what is required: {}", run_id, error.what()));
    return kExitNotSaved;
  }
}

}  // namespace

int use_earlier_run(const OnceMarker& once, const RunOptions& options, const std::optional<CollectorTarget>& wanted,
                    const std::optional<Spool>& spool, const Environment& environment, Progress& progress) {
  const bool given_up = once.answer() == OnceAnswer::given_up;
  given_up ? progress.warn(once.explanation()) : progress.say(once.explanation());
  if (!deliver(once.earlier_run(), options, wanted, spool, environment, progress)) return kExitNotSaved;
  if (given_up) return kExitPartial;  // there is no result to hold to anything
  return exit_code_of_gate(once.earlier_run(), options, spool, progress);
}

}  // namespace gpuassay
