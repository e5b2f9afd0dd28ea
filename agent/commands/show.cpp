// gpuassay show, score and schema: looking at documents.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/commands/commands.h"
#include "agent/commands/result_file.h"
#include "agent/exit_code.h"
#include "agent/report.h"
#include "core/error.h"
#include "core/normalize.h"
#include "core/operations.h"
#include "core/resnet50.h"
#include "core/result_json.h"
#include "core/schema.h"
#include "core/score.h"

namespace gpuassay {
namespace {

Result load(const std::filesystem::path& name, const Environment& environment) {
  const std::string text = read_result_text(name, environment);
  try {
    return parse_result(text);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", name.string(), error.what()));
  }
}

/// One line per operation of the workload: how often, its median, what it adds to the predicted iteration.
std::string explanation(const Result& result, const std::vector<Measurement>& measurements) {
  std::string text;
  for (const Device& device : result.devices) {
    for (const std::int64_t batch : kCpuTrainBatches) {
      if (!predict_resnet50_train(device.index, DType::fp32, batch, measurements).samples_per_s) continue;
      text += fmt::format("device {}: resnet50_train, batch {}\n", device.index, batch);
      for (const WorkloadOperation& operation : resnet50_train_operations(DType::fp32, batch)) {
        const std::string id = case_id(operation.params);
        const auto measured = std::find_if(measurements.begin(), measurements.end(), [&](const Measurement& m) {
          return m.id == id && m.device == device.index && m.status == CaseStatus::ok;
        });
        text += fmt::format("  {:>2} x {:>11.0f} ns  {}\n", operation.count, *measured->median_ns, id);
      }
      text += fmt::format("  and {:.0f} elementwise bytes at the triad bandwidth\n",
                          resnet50_train_elementwise_bytes(DType::fp32, batch));
      break;
    }
  }
  return text;
}

}  // namespace

int execute(const ShowOptions& options, const Environment& environment) {
  const Result result = load(options.result, environment);
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
  const Result stored = load(options.result, environment);
  const std::vector<Measurement> measurements = normalize_all(stored.measurements, stored.devices);
  const Score score = score_run(stored.devices, measurements);
  Result recomputed = stored;
  recomputed.score = score;
  const nlohmann::json score_json = to_json(recomputed).at("score");
  const bool same_version = stored.score.version == score.version;
  const bool agrees = score_json == to_json(stored).at("score");
  if (options.json) {
    print_out(score_json.dump() + "\n");
  } else {
    print_out(fmt::format("score {} (version {})\n", score.value ? fmt::format("{}", *score.value) : "unknown",
                          score.version));
  }
  if (options.explain && !options.json) print_out(explanation(stored, measurements));
  if (same_version && !agrees) {
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
