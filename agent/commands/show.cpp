// gpuassay show, score and schema: looking at documents.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/commands/commands.h"
#include "agent/commands/result_file.h"
#include "agent/exit_code.h"
#include "agent/report.h"
#include "core/error.h"
#include "core/operations.h"
#include "core/rescored.h"
#include "core/result_json.h"
#include "core/schema.h"
#include "core/score.h"
#include "core/stats.h"

namespace gpuassay {
namespace {

/// What the operations measured say about every workload of docs/WORKLOADS.md, device by device.
nlohmann::json predictions(const Result& result, const std::vector<Measurement>& measurements) {
  nlohmann::json list = nlohmann::json::array();
  for (const Device& device : result.devices) {
    for (const WorkloadPrediction& each : predictions_of(device, result.devices, measurements)) {
      if (!each.step) continue;
      constexpr int kDigits = 6;
      const auto per_s = [&](double step_ns) { return round_significant(each.samples_per_s(step_ns), kDigits); };
      const auto ms = [](double ns) { return round_significant(ns / 1e6, kDigits); };
      list.push_back(
          {{"device", device.index},
           {"name", each.workload->id},
           {"precision", to_name(each.precision)},
           {"dtype", to_name(each.precision == WorkloadPrecision::mixed ? each.types.half : each.types.fp32)},
           {"unit", each.workload->unit},
           {"samples_per_s", per_s(each.step->step_ns)},
           {"low", per_s(each.step->high_ns)},
           {"high", per_s(each.step->low_ns)},
           {"covered_share", round_significant(each.step->covered_share, kDigits)},
           {"operations_ms", ms(each.step->operations_ns)},
           {"attention_ms", ms(each.step->attention_ns)},
           {"other_kernels_ms", ms(each.step->traffic_ns)},
           {"pauses_ms", ms(each.step->pauses_ns)}});
    }
  }
  return list;
}

std::string predictions_text(const nlohmann::json& list) {
  std::string text = "samples per second, and the milliseconds of a step\n";
  for (const nlohmann::json& each : list) {
    const auto number = [&](const char* name) { return each.at(name).get<double>(); };
    text += fmt::format(
        "  device {} {:<16} {:<5} {:>9.4g} {} ({:.4g} to {:.4g}; {:.0f} % of the FLOPs measured): operations {:.4g}, "
        "attention {:.4g}, other kernels {:.4g}, pauses {:.4g}\n",
        each.at("device").get<int>(), each.at("name").get<std::string>(), each.at("precision").get<std::string>(),
        number("samples_per_s"), each.at("unit").get<std::string>(), number("low"), number("high"),
        100 * number("covered_share"), number("operations_ms"), number("attention_ms"), number("other_kernels_ms"),
        number("pauses_ms"));
  }
  return text;
}

}  // namespace

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
  const nlohmann::json predicted = options.explain ? predictions(stored, measurements) : nlohmann::json();
  if (options.json && options.explain) {
    print_out(nlohmann::json{{"score", score_json}, {"predictions", predicted}}.dump() + "\n");
  } else if (options.json) {
    print_out(score_json.dump() + "\n");
  } else {
    print_out(fmt::format("score {} (version {})\n", score.value ? fmt::format("{}", *score.value) : "unknown",
                          score.version));
  }
  if (options.explain && !options.json) print_out(predictions_text(predicted));
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
