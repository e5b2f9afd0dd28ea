// gpuassay estimate: what a GPU would do, going by its datasheet.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "agent/commands/commands.h"
#include "agent/exit_code.h"
#include "agent/report.h"
#include "agent/text_page.h"
#include "core/estimate.h"
#include "core/gpu_lookup.h"
#include "core/result_json.h"

namespace gpuassay {
namespace {

constexpr const char* kNotMeasured =
    "Estimated from the GPU's specification, not measured: no GPU was looked at. What a rented one does, only gpuassay "
    "run says.";

/// The words of --precision.
std::string_view precision_word(WorkloadPrecision precision) {
  return to_name(precision == WorkloadPrecision::mixed ? EstimatePrecision::mixed : EstimatePrecision::fp32);
}

nlohmann::json estimate_json(const FoundGpu& gpu, const std::vector<WorkloadEstimate>& estimates) {
  nlohmann::json workloads = nlohmann::json::array();
  for (const WorkloadEstimate& each : estimates) {
    workloads.push_back({{"name", each.name},
                         {"class", to_name(each.workload_class)},
                         {"precision", precision_word(each.precision)},
                         {"dtype", to_name(each.dtype)},
                         {"unit", each.unit},
                         {"samples_per_s", each.samples_per_s},
                         {"low", each.low},
                         {"high", each.high},
                         {"fits", each.fits}});
  }
  const GpuSpec& spec = *gpu.spec;
  return {{"gpu", spec.gpu},
          {"model", spec.model},
          {"variant", spec.variant ? nlohmann::json(*spec.variant) : nlohmann::json()},
          {"one_device_of", gpu.of_board.empty() ? nlohmann::json() : nlohmann::json(gpu.of_board)},
          {"basis", "specification"},
          {"measured", false},
          {"note", kNotMeasured},
          {"workloads", workloads}};
}

std::string estimate_text(const FoundGpu& gpu, const std::vector<WorkloadEstimate>& estimates, const TextStyle& style) {
  constexpr int kLabelWidth = 18;
  TextPage page(style, kLabelWidth);
  page.line("estimate", {gpu.spec->gpu, fmt::format("{:.4g} GiB", gpu.spec->memory_gib)}, TextPage::kBold);
  if (!gpu.of_board.empty()) page.prose("", fmt::format("one device of {}", gpu.of_board));
  page.prose("", kNotMeasured, TextPage::kYellow);
  page.blank();
  for (const WorkloadEstimate& each : estimates) {
    const std::string precision = fmt::format("{:<5}", precision_word(each.precision));
    std::vector<std::string> words{fmt::format("{} {:<4}", precision, to_name(each.dtype)),
                                   fmt::format("{:>9.4g} {}/s", each.samples_per_s, each.unit),
                                   fmt::format("({:.4g} to {:.4g})", each.low, each.high)};
    if (!each.fits) words.emplace_back("its memory is too small");
    page.line(each.name, words);
  }
  return page.take();
}

}  // namespace

int execute(const EstimateOptions& options, const Environment& environment) {
  const FoundGpu gpu = find_gpu_by_name(options.gpu);
  const std::vector<WorkloadEstimate> estimates = estimate_workloads(*gpu.spec, options.precision);
  print_out(options.json ? estimate_json(gpu, estimates).dump() + "\n"
                         : estimate_text(gpu, estimates, environment.out_style));
  return kExitOk;
}

}  // namespace gpuassay
