#include "agent/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "agent/price_report.h"
#include "agent/report_energy.h"
#include "agent/report_figures.h"
#include "agent/report_instance.h"
#include "core/enums.h"
#include "core/error.h"
#include "core/score.h"
#include "core/workload_reader.h"

namespace gpuassay {
namespace {

void add_workloads(TextPage& page, const Result& result) {
  std::string_view label = "networks";
  for (const WorkloadScore* const each : mixed_workloads(result.score)) {
    const WorkloadScore& workload = *each;
    if (!workload.samples_per_s) continue;
    const TracedWorkload* const traced = find_workload(workload.name);
    std::vector<std::string> words{
        fmt::format("{} {}:", printable(workload.name), workload.precision),
        fmt::format("{} {}/s", short_number(*workload.samples_per_s),
                    traced != nullptr ? traced->unit : std::string("samples")),
        fmt::format("({} to {})", short_number(workload.low.value_or(*workload.samples_per_s)),
                    short_number(workload.high.value_or(*workload.samples_per_s)))};
    if (std::string energy = energy_words(result, workload); !energy.empty()) words.push_back(std::move(energy));
    page.line(std::exchange(label, ""), words);
  }
}

void add_score(TextPage& page, const Result& result) {
  const Score& score = result.score;
  if (score.value) {
    page.line("score",
              {fmt::format("{} Assay Index {}", short_number(*score.value), score.version),
               fmt::format("(A100 = 100, {})", to_name(score.regime))},
              TextPage::kBold);
  } else {
    page.prose("score", "unknown: too little was measured, or with wrong results", TextPage::kBold);
  }
  std::vector<std::string> classes;
  const auto add = [&classes](std::string_view name, const std::optional<double>& figure) {
    if (figure) classes.push_back(fmt::format("{} {}", name, short_number(*figure)));
  };
  add("train", score.classes.train);
  add("prefill", score.classes.prefill);
  add("decode", score.classes.decode);
  add("DLPerf 2022 about", score.dlperf_2022_equivalent);
  if (score.fraction_of_expected && score.expected)
    classes.push_back(fmt::format("{:.0f} % of the {} that the specification lets expect",
                                  100 * *score.fraction_of_expected, short_number(*score.expected)));
  if (!classes.empty()) page.line("", classes);
  add_workloads(page, result);
  add_instance_lines(page, result);
}

void add_money(TextPage& page, const Result& result) {
  const auto& price = result.price.price_instance_hour_usd;
  if (!price) {
    if (result.price.reason && *result.price.reason != "no_price_given")
      page.prose("per dollar", fmt::format("unknown: {}", reason_text(*result.price.reason)));
    return;
  }
  std::vector<std::string> words;
  if (result.score_per_usd_hour)
    words.push_back(fmt::format("{} index points", short_number(*result.score_per_usd_hour)));
  // Money is shown with four places at most.
  words.push_back(fmt::format("at {} USD per hour", price->substr(0, price->size() - 2)));
  if (result.run_cost_usd) {
    words.push_back(fmt::format("this run: {} USD", result.run_cost_usd->substr(0, result.run_cost_usd->size() - 2)));
  }
  page.line("per dollar", words);
  for (const UnitCost& cost : result.unit_costs) {
    if (cost.name == "llm_decode_b32" || cost.name == "llm_prefill" || cost.name == "resnet50_infer")
      page.line("", {fmt::format("{}: {} USD per {}", cost.name, cost.usd, cost.unit)});
  }
  if (result.price.price_id) page.line("price", match_words(result.price));
}

/// "2 x cuda: Tesla T4", each name once, in the order of the devices.
std::string device_names(const Result& result) {
  std::vector<std::string> names;
  std::map<std::string, int> counts;
  for (const Device& device : result.devices) {
    const std::string name = fmt::format("{}: {}", to_name(device.kind), printable(device.name));
    if (++counts[name] == 1) names.push_back(name);
  }
  for (std::string& name : names) {
    if (counts[name] > 1) name = fmt::format("{} x {}", counts[name], name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

/// "aws, p5.48xlarge, us-east-1, spot"; empty where nobody told.
std::vector<std::string> rented_as(const Platform& platform) {
  std::vector<std::string> words;
  if (platform.provider != "unknown") words.push_back(printable(platform.provider));
  for (const auto& part : {platform.instance_type, platform.region, platform.pricing_model})
    if (part) words.push_back(printable(*part));
  return words;
}

/// "measuring 93 %  preparing cases 4 %  around them 3 %", of the run.
void add_time(TextPage& page, const Result& result) {
  if (!result.time_use || !(result.duration_s > 0)) return;
  const TimeUse& use = *result.time_use;
  const double preparing = std::min(use.preparing_s / result.duration_s, use.non_measuring_fraction);  // digits
  page.line("time", {fmt::format("measuring {:.1f} %", 100 * (1 - use.non_measuring_fraction)),
                     fmt::format("preparing cases {:.1f} %", 100 * preparing),
                     fmt::format("around them {:.1f} %", 100 * (use.non_measuring_fraction - preparing))});
}

void add_title(TextPage& page, const Result& result) {
  std::string devices = device_names(result);
  if (result.host.effective_cpus) devices += fmt::format(" ({:.3g} CPUs)", *result.host.effective_cpus);
  page.prose("gpuassay", fmt::format("{} {} in {:.0f} s{}", result.agent.profile, to_name(result.status),
                                     result.duration_s, result.simulated ? ", SIMULATED" : ""));
  page.prose("device", devices);
  if (const auto words = rented_as(result.platform); !words.empty()) page.line("rented as", words);
}

}  // namespace

std::string render_report(const Result& result, const ReportContext& context, const TextStyle& style) {
  TextPage page(style);
  add_title(page, result);
  page.blank();
  add_score(page, result);
  add_money(page, result);
  page.blank();
  add_figure_lines(page, result);
  add_energy_line(page, result);
  add_time(page, result);
  page.blank();
  for (const Reason& reason : result.reasons) {
    // A verdict says it with its remedy.
    if (reason.code == name_of(ErrorCode::hardware_fault)) continue;
    page.prose("!", printable(reason.message), TextPage::kYellow);
  }
  for (const Verdict& verdict : result.verdicts) {
    page.prose("!", printable(fmt::format("{}: {}", verdict.message, verdict.remedy)), TextPage::kYellow);
  }
  if (result.reasons.empty() && result.verdicts.empty())
    page.prose("verdict", "healthy: nothing suspicious, every output verified");
  page.prose("saved", context.saved_as);
  for (const std::string& note : context.notes) page.prose("", printable(note));
  if (!context.next_command.empty()) page.prose("next", context.next_command);
  return page.take();
}

}  // namespace gpuassay
