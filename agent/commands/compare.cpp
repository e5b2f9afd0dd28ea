// gpuassay compare: which of several results is faster, and what weights would reverse that.
#include "core/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/commands/commands.h"
#include "agent/commands/result_file.h"
#include "agent/exit_code.h"
#include "agent/report_figures.h"
#include "agent/run_to_run.h"
#include "agent/text_page.h"
#include "core/enums.h"
#include "core/error.h"
#include "core/json_or_null.h"
#include "core/normalize.h"
#include "core/repeatability.h"
#include "core/rescored.h"
#include "core/score.h"

namespace gpuassay {
namespace {

/// One third, as the document has it.
constexpr double kWrittenThird = 0.333333;
/// With more results than this, people read of each one against the best; every pair would be a page.
constexpr std::size_t kMostInPairs = 4;

/// The results as the user called them, and what they are.
struct CompareInput {
  std::vector<std::string> files;
  std::vector<Result> results;  ///< with figures and scores recomputed
  std::vector<ComparedRun> runs;
  std::vector<std::string> changed;  ///< files whose score does not follow from their samples
};

CompareInput read_compared(const CompareOptions& options, const Environment& environment) {
  CompareInput input;
  for (const auto& name : options.results) {
    Result stored = read_result(name, environment);
    const Rescored again = rescore(stored);
    input.files.push_back(name.string());
    input.runs.push_back(compared_run(stored, again.score));
    stored.summary = summarize(stored.devices, again.measurements);
    stored.score = again.score;
    stored.measurements.clear();
    input.results.push_back(std::move(stored));
    if (again.contradicts_stored) input.changed.push_back(name.string());
  }
  return input;
}

nlohmann::json by_class(const ByClass& figures) {
  nlohmann::json object;
  for (const auto& [value, name] : EnumNames<WorkloadClass>::values)
    object[std::string(name)] = figures[static_cast<std::size_t>(value)];
  return object;
}

nlohmann::json run_json(const std::string& file, const ComparedRun& run) {
  const ClassScores& classes = run.score.classes;
  const auto range = index_range(run.score);
  return {
      {"run_id", run.run_id},
      {"file", file},
      {"gpu", run.machine},
      {"simulated", run.simulated},
      {"score_version", run.score.version},
      {"stored_score_version", run.stored_version},
      {"value", or_null(run.score.value)},
      {"low", range ? nlohmann::json(range->low) : nlohmann::json()},
      {"high", range ? nlohmann::json(range->high) : nlohmann::json()},
      {"reason", or_null(run.unscored_reason)},
      {"classes",
       {{"train", or_null(classes.train)}, {"prefill", or_null(classes.prefill)}, {"decode", or_null(classes.decode)}}},
      {"price_instance_hour_usd", or_null(run.price_instance_hour_usd)},
      {"score_per_usd_hour", or_null(run.score_per_usd_hour)}};
}

nlohmann::json pair_json(const ComparedPair& pair, const std::vector<ComparedRun>& runs) {
  nlohmann::json even = nlohmann::json::array();
  for (const EvenWeight& each : pair.even_when) {
    even.push_back({{"class", to_name(each.workload_class)}, {"weight", each.weight}, {"equal_weight", kWrittenThird}});
  }
  return {{"faster", runs[pair.faster].run_id},
          {"slower", runs[pair.slower].run_id},
          {"faster_index", pair.faster},
          {"slower_index", pair.slower},
          {"value_ratio", pair.value_ratio},
          {"class_ratios", by_class(pair.class_ratios)},
          {"score_per_usd_hour_ratio", or_null(pair.per_usd_hour_ratio)},
          {"same", pair.same},
          {"certain", pair.certain},
          {"robust", pair.robust},
          {"even_when", even}};
}

template <class T>
nlohmann::json list_or_nulls(const std::vector<std::optional<T>>& values) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& value : values) list.push_back(or_null(value));
  return list;
}

/// The results that are runs of one machine, several of each; by their places.
struct RepeatedMachine {
  std::vector<std::size_t> places;
  std::vector<const Result*> runs;
};

std::vector<RepeatedMachine> repeated_machines(const std::vector<Result>& results) {
  std::vector<const Result*> all;
  all.reserve(results.size());
  for (const Result& result : results) all.push_back(&result);
  std::vector<RepeatedMachine> machines;
  for (std::vector<std::size_t>& places : runs_by_machine(all)) {
    if (places.size() < 2) continue;
    RepeatedMachine machine{std::move(places), {}};
    for (const std::size_t place : machine.places) machine.runs.push_back(all[place]);
    machines.push_back(std::move(machine));
  }
  return machines;
}

nlohmann::json machines_json(const std::vector<RepeatedMachine>& machines) {
  nlohmann::json list = nlohmann::json::array();
  for (const RepeatedMachine& each : machines)
    list.push_back({{"results", each.places}, {"spread", spread_json(headline_series(each.runs))}});
  return list;
}

nlohmann::json machine_differences_json(const std::vector<RepeatedMachine>& machines) {
  nlohmann::json list = nlohmann::json::array();
  for (std::size_t second = 1; second < machines.size(); ++second) {
    for (std::size_t first = 0; first < second; ++first) {
      list.push_back(
          {{"first", machines[first].places},
           {"second", machines[second].places},
           {"figures", differences_json(headline_differences(machines[first].runs, machines[second].runs))}});
    }
  }
  return list;
}

nlohmann::json comparison_json(const CompareInput& input, const Comparison& comparison) {
  nlohmann::json results = nlohmann::json::array();
  for (std::size_t i = 0; i < input.runs.size(); ++i) results.push_back(run_json(input.files[i], input.runs[i]));
  nlohmann::json pairs = nlohmann::json::array();
  for (const ComparedPair& each : comparison.pairs) pairs.push_back(pair_json(each, input.runs));
  nlohmann::json workloads = nlohmann::json::array();
  for (const ComparedWorkload& each : comparison.workloads) {
    workloads.push_back({{"name", each.name},
                         {"class", to_name(each.workload_class)},
                         {"precision", to_name(each.precision)},
                         {"dtypes", list_or_nulls(each.dtypes)},
                         {"samples_per_s", list_or_nulls(each.samples_per_s)},
                         {"ratios", list_or_nulls(each.ratios)}});
  }
  const std::vector<RepeatedMachine> machines = repeated_machines(input.results);
  return {{"results", results},
          {"best", or_null(comparison.best)},
          {"pairs", pairs},
          {"workloads", workloads},
          {"machines", machines_json(machines)},
          {"differences", machine_differences_json(machines)}};
}

/// Results are called 1, 2, ... in the order of the command line.
std::size_t shown_number(std::size_t place) { return place + 1; }

void add_result(TextPage& page, std::size_t place, const std::string& file, const ComparedRun& run) {
  const std::string label = fmt::format("{}", shown_number(place));
  const std::string machine = run.machine + (run.simulated ? ", SIMULATED" : "");
  page.prose(label, machine, TextPage::kBold);
  if (run.score.value) {
    const IndexRange range = index_range(run.score).value_or(IndexRange{*run.score.value, *run.score.value});
    page.line("", {fmt::format("index {}", short_number(*run.score.value)),
                   fmt::format("({} to {})", short_number(range.low), short_number(range.high))});
    const ClassScores& classes = run.score.classes;
    page.line("", {fmt::format("train {}", short_number(classes.train.value_or(0))),
                   fmt::format("prefill {}", short_number(classes.prefill.value_or(0))),
                   fmt::format("decode {}", short_number(classes.decode.value_or(0)))});
  } else {
    page.prose("", fmt::format("no index: {}", run.unscored_reason.value_or("")), TextPage::kYellow);
  }
  if (run.score_per_usd_hour) {
    page.line("", {fmt::format("{} points per dollar", short_number(*run.score_per_usd_hour)),
                   fmt::format("at {} USD per hour", run.price_instance_hour_usd.value_or(""))});
  }
  if (run.stored_version != run.score.version) {
    page.prose("", fmt::format("saved with score version {}: recomputed by {}", run.stored_version, run.score.version));
  }
  page.prose("", file);
}

/// So many digits that it is neither the third it is compared with, nor all.
std::string weight_words(double weight) {
  constexpr double kAlmostAll = 0.9995, kAlmostThird = 0.335;
  if (weight > kAlmostAll) return "over 99.9 %";
  return weight < kAlmostThird ? fmt::format("{:.2f} %", 100 * weight) : fmt::format("{:.0f} %", 100 * weight);
}

void add_robustness(TextPage& page, const ComparedPair& pair) {
  if (pair.robust) {
    const bool everywhere =
        std::all_of(pair.class_ratios.begin(), pair.class_ratios.end(), [](double r) { return r > 1; });
    page.prose("",
               fmt::format("{}: no weights reverse it", everywhere ? "faster in every class" : "slower in no class"));
  } else if (pair.even_when.empty()) {
    page.prose("", "equal by the index: what counts more than a third decides");
  }
  for (const EvenWeight& each : pair.even_when) {
    page.prose("", fmt::format("equal when {} counts {} instead of 33 %", to_name(each.workload_class),
                               weight_words(each.weight)));
  }
}

void add_pair(TextPage& page, const ComparedPair& pair) {
  if (pair.same) {
    page.line(fmt::format("{} and {}", shown_number(pair.faster), shown_number(pair.slower)), {"the same"});
  } else {
    page.line(fmt::format("{} over {}", shown_number(pair.faster), shown_number(pair.slower)),
              {fmt::format("{:.4g} times as fast", pair.value_ratio),
               pair.certain ? "" : "(not certain: their ranges overlap)"},
              TextPage::kBold);
    std::vector<std::string> classes;
    classes.reserve(kWorkloadClasses);
    for (const auto& [value, name] : EnumNames<WorkloadClass>::values)
      classes.push_back(fmt::format("{} {:.4g}", name, pair.class_ratios[static_cast<std::size_t>(value)]));
    page.line("", classes);
    add_robustness(page, pair);
  }
  if (pair.per_usd_hour_ratio)
    page.line("", {fmt::format("{:.4g} times as much per dollar", *pair.per_usd_hour_ratio)});
}

void add_pairs(TextPage& page, const std::vector<ComparedRun>& runs, const Comparison& comparison) {
  if (comparison.pairs.empty()) {
    page.prose("", "Nothing to compare: fewer than two results have an index.", TextPage::kYellow);
    return;
  }
  const bool all = runs.size() <= kMostInPairs;
  if (!all) page.prose("", "Each one against the best; --json has every pair.");
  for (const ComparedPair& each : comparison.pairs) {
    if (all || each.faster == comparison.best || each.slower == comparison.best) add_pair(page, each);
  }
}

/// The workloads in mixed precision, which are what the index is made of.
void add_workload_rows(TextPage& page, const std::vector<ComparedRun>& runs, const Comparison& comparison) {
  const auto cell = [](std::string_view number, std::string_view dtype, std::string_view ratio) {
    return fmt::format("{:>6} {:<4} {:>6}", number, dtype, ratio);
  };
  std::vector<std::string> heads;
  heads.reserve(runs.size());
  for (std::size_t i = 0; i < runs.size(); ++i) heads.push_back(cell(fmt::format("{}", shown_number(i)), "", ""));
  page.line("samples per second", heads);
  for (const ComparedWorkload& each : comparison.workloads) {
    if (each.precision != WorkloadPrecision::mixed) continue;
    std::vector<std::string> cells;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const auto& figure = each.samples_per_s[i];
      const bool with_ratio = each.ratios[i] && comparison.best != i;
      cells.push_back(cell(figure ? short_number(*figure) : "none", figure ? each.dtypes[i].value_or("") : "",
                           with_ratio ? fmt::format("x{}", short_number(*each.ratios[i])) : ""));
    }
    page.line(each.name, cells);
  }
  if (comparison.best) page.prose("", fmt::format("x: times what {} does", shown_number(*comparison.best)));
}

/// Each machine that ran several times, and each such one beside the first.
void add_run_to_run(TextPage& page, const std::vector<Result>& results) {
  const std::vector<RepeatedMachine> machines = repeated_machines(results);
  const auto numbers = [](const RepeatedMachine& machine) {
    std::vector<std::size_t> shown;
    shown.reserve(machine.places.size());
    for (const std::size_t place : machine.places) shown.push_back(shown_number(place));
    return fmt::format("{}", fmt::join(shown, ", "));
  };
  if (machines.empty()) return;
  page.blank();
  for (const RepeatedMachine& each : machines) {
    page.prose("runs", fmt::format("{} are of one machine; between its fastest and slowest", numbers(each)));
    add_spread(page, "", headline_series(each.runs));
  }
  for (std::size_t i = 1; i < machines.size(); ++i) {
    page.prose("noise", fmt::format("{} beside {}", numbers(machines[i]), numbers(machines[0])));
    add_differences(page, "", headline_differences(machines[0].runs, machines[i].runs));
  }
}

std::string comparison_text(const CompareInput& input, const Comparison& comparison, const TextStyle& style) {
  constexpr int kWorkloadWidth = 18;
  TextPage page(style);
  page.prose("compare", fmt::format("{} results by the Assay Index {} (A100 = 100)", input.runs.size(), kScoreVersion));
  page.blank();
  for (std::size_t i = 0; i < input.runs.size(); ++i) add_result(page, i, input.files[i], input.runs[i]);
  page.blank();
  add_pairs(page, input.runs, comparison);
  page.blank();
  TextPage table(style, kWorkloadWidth);
  add_workload_rows(table, input.runs, comparison);
  TextPage repeats(style);
  add_run_to_run(repeats, input.results);
  return page.take() + table.take() + repeats.take();
}

}  // namespace

int execute(const CompareOptions& options, const Environment& environment) {
  const CompareInput input = read_compared(options, environment);
  const Comparison comparison = compare_runs(input.runs);
  if (options.json) {
    // ASCII alone, and what is no UTF-8 of a file's name replaced: the terminal gets nothing that steers it.
    print_out(comparison_json(input, comparison).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n");
  } else {
    print_out(comparison_text(input, comparison, environment.out_style));
  }
  if (!input.changed.empty()) {
    throw Error(ErrorCode::unreadable_input,
                fmt::format("{}: the score stored in the file does not follow from its samples; the file was changed "
                            "after the run",
                            input.changed.front()));
  }
  return kExitOk;
}

}  // namespace gpuassay
