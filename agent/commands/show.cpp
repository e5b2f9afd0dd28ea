// gpuassay show, score and schema: looking at documents.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "agent/commands/commands.h"
#include "agent/commands/result_file.h"
#include "agent/exit_code.h"
#include "agent/explanation.h"
#include "agent/instance_explanation.h"
#include "agent/report.h"
#include "core/error.h"
#include "core/rescored.h"
#include "core/result_json.h"
#include "core/schema.h"

namespace gpuassay {

int execute(const ShowOptions& options, const Environment& environment) {
  const Result result = read_result(options.result, environment);
  if (options.json) {
    print_out(canonical_json(result) + "\n");
  } else {
    print_out(render_report(result,
                            {options.result.string(), {}, environment.invocation + " score " + options.result.string()},
                            environment.out_style));
  }
  return kExitOk;
}

int execute(const ScoreOptions& options, const Environment& environment) {
  const Result stored = read_result(options.result, environment);
  const auto [measurements, score, contradicts_stored] = rescore(stored);
  Result recomputed = stored;
  recomputed.score = score;
  const nlohmann::json score_json = to_json(recomputed).at("score");
  const nlohmann::json predicted = options.explain ? explain_predictions(stored, measurements) : nlohmann::json();
  const nlohmann::json together = options.explain ? explain_instance(stored, measurements) : nlohmann::json();
  if (options.json && options.explain) {
    print_out(nlohmann::json{{"score", score_json},
                             {"predictions", predicted},
                             {"instance", together},
                             {"large", explain_large(stored, measurements)}}
                  .dump() +
              "\n");
  } else if (options.json) {
    print_out(score_json.dump() + "\n");
  } else {
    print_out(fmt::format("score {} (version {})\n", score.value ? fmt::format("{}", *score.value) : "unknown",
                          score.version));
    if (stored.score.version != score.version)
      print_out(
          fmt::format("the document's own is of version {}, which does not compare with it\n", stored.score.version));
  }
  if (options.explain && !options.json)
    print_out(index_text(score) + predictions_text(predicted) + instance_text(together) +
              large_text(explain_large(stored, measurements)));
  if (contradicts_stored) {
    throw Error(ErrorCode::unreadable_input,
                "the score stored in the file does not follow from its samples; the file was changed after the run");
  }
  return kExitOk;
}

int execute(const SchemaOptions& options, const Environment& /*environment*/) {
  print_out(std::string(schema_text(options.name)));
  return kExitOk;
}

}  // namespace gpuassay
