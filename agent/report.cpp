#include "agent/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/enums.h"

namespace gpuassay {
namespace {

constexpr int kLabelWidth = 11;
constexpr std::string_view kBold = "\033[1m";
constexpr std::string_view kYellow = "\033[33m";
constexpr std::string_view kReset = "\033[0m";

/// Three significant digits without exponent: 0.000352, 0.151, 12.3, 1240.
std::string short_number(double value) {
  if (value >= 1000) return fmt::format("{:.0f}", value);
  std::string text = fmt::format("{:#.3g}", value);
  if (text.find('e') != std::string::npos) text = fmt::format("{:.8f}", value);
  if (text.back() == '.') text.pop_back();
  return text;
}

class Page {
 public:
  explicit Page(const TextStyle& style) : style_(style) {}

  /// "  label     words...", wrapped between words with continuation lines indented.
  void line(std::string_view label, const std::vector<std::string>& words, std::string_view color = {}) {
    const std::size_t indent = 2 + kLabelWidth;
    std::string current = fmt::format("  {:<{}}", label, kLabelWidth);
    bool fresh = true;
    for (const std::string& word : words) {
      if (!fresh && current.size() + 2 + word.size() > static_cast<std::size_t>(style_.columns)) {
        emit(current, color);
        current.assign(indent, ' ');
        fresh = true;
      }
      current += (fresh ? "" : "  ") + word;
      fresh = false;
    }
    emit(current, color);
  }
  /// Prose wrapped at spaces.
  void prose(std::string_view label, const std::string& text, std::string_view color = {}) {
    const std::size_t indent = 2 + kLabelWidth;
    std::string current = fmt::format("  {:<{}}", label, kLabelWidth);
    std::size_t start = 0;
    while (start < text.size()) {
      const std::size_t end = std::min(text.find(' ', start), text.size());
      const std::string word = text.substr(start, end - start);
      if (current.size() > indent && current.size() + 1 + word.size() > static_cast<std::size_t>(style_.columns)) {
        emit(current, color);
        current.assign(indent, ' ');
      }
      current += (current.size() > indent ? " " : "") + word;
      start = end + 1;
    }
    emit(current, color);
  }
  void blank() { text_ += '\n'; }
  std::string take() { return std::move(text_); }

 private:
  /// Everything shown passes here: strings from outside must not steer the terminal.
  void emit(const std::string& raw, std::string_view color) {
    std::string line = printable(raw);
    while (!line.empty() && line.back() == ' ') line.pop_back();
    text_ += style_.color && !color.empty() ? fmt::format("{}{}{}\n", color, line, kReset) : line + '\n';
  }
  const TextStyle& style_;
  std::string text_;
};

std::vector<std::string> figures(const std::map<std::string, RegimeValues>& values,
                                 const std::vector<std::string>& order) {
  std::vector<std::string> words;
  for (const std::string& name : order) {
    const auto found = values.find(name);
    if (found == values.end()) continue;
    const std::optional<double>& figure = found->second.sustained ? found->second.sustained : found->second.burst;
    if (figure) words.push_back(fmt::format("{} {}", name, short_number(*figure)));
  }
  return words;
}

/// The median noise of the ok cases of a workload: how far its figures can be trusted.
std::optional<double> typical_noise(const Result& result, Workload workload) {
  std::vector<double> noises;
  for (const Measurement& m : result.measurements) {
    if (m.workload == workload && m.status == CaseStatus::ok && m.noise) noises.push_back(*m.noise);
  }
  if (noises.empty()) return std::nullopt;
  std::nth_element(noises.begin(), noises.begin() + static_cast<std::ptrdiff_t>(noises.size() / 2), noises.end());
  return noises[noises.size() / 2];
}

void add_figures(Page& page, const Result& result, Workload workload, std::string_view label,
                 std::vector<std::string> words, std::string_view unit) {
  if (words.empty()) return;
  words.back() += fmt::format(" {}", unit);
  if (const auto noise = typical_noise(result, workload))
    words.push_back(fmt::format("(noise {:.1f} %)", 100 * *noise));
  page.line(label, words);
}

void add_score(Page& page, const Result& result) {
  const Score& score = result.score;
  if (score.value) {
    page.line("score",
              {fmt::format("{} Assay Index {}", short_number(*score.value), score.version),
               fmt::format("(A100 = 100, {})", to_name(score.regime))},
              kBold);
  } else {
    page.prose("score", "unknown: not every operation it needs was measured", kBold);
  }
  for (const WorkloadScore& workload : score.workloads) {
    if (!workload.samples_per_s) continue;
    page.line("", {fmt::format("{} {}", workload.name, workload.precision), fmt::format("batch {}:", workload.batch),
                   fmt::format("{} images/s", short_number(*workload.samples_per_s)),
                   fmt::format("({} to {})", short_number(workload.low.value_or(*workload.samples_per_s)),
                               short_number(workload.high.value_or(*workload.samples_per_s)))});
  }
}

void add_money(Page& page, const Result& result) {
  const auto& price = result.price.price_instance_hour_usd;
  if (!price) return;
  std::vector<std::string> words;
  if (result.score_per_usd_hour)
    words.push_back(fmt::format("{} index points", short_number(*result.score_per_usd_hour)));
  // Money is shown with four places at most.
  words.push_back(fmt::format("at {} USD per hour", price->substr(0, price->size() - 2)));
  if (result.run_cost_usd) {
    words.push_back(fmt::format("this run: {} USD", result.run_cost_usd->substr(0, result.run_cost_usd->size() - 2)));
  }
  page.line("per dollar", words);
}

void add_title(Page& page, const Result& result) {
  std::string devices;
  for (const Device& device : result.devices) {
    if (!devices.empty()) devices += ", ";
    devices += fmt::format("{}: {}", to_name(device.kind), printable(device.name));
  }
  if (result.host.effective_cpus) devices += fmt::format(" ({:.3g} CPUs)", *result.host.effective_cpus);
  page.prose("gpuassay", fmt::format("{} {} in {:.0f} s{}", result.agent.profile, to_name(result.status),
                                     result.duration_s, result.simulated ? ", SIMULATED" : ""));
  page.prose("device", devices);
}

}  // namespace

std::string printable(const std::string& text) {
  std::string clean;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    clean += byte < 0x20 || byte == 0x7F ? '?' : c;
  }
  // C1 control characters (U+0080 to U+009F, two bytes in UTF-8) steer terminals as well.
  for (std::size_t i = 0; i + 1 < clean.size(); ++i) {
    const auto first = static_cast<unsigned char>(clean[i]);
    const auto second = static_cast<unsigned char>(clean[i + 1]);
    if (first == 0xC2 && second >= 0x80 && second <= 0x9F) clean.replace(i, 2, "?");
  }
  return clean;
}

std::string render_report(const Result& result, const ReportContext& context, const TextStyle& style) {
  Page page(style);
  const DeviceSummary& all = result.summary.instance;
  add_title(page, result);
  page.blank();
  add_score(page, result);
  add_money(page, result);
  page.blank();
  const std::vector<std::string> dtypes{"fp64", "fp32", "tf32",     "fp16", "fp16_acc16",
                                        "bf16", "int8", "fp8_e4m3", "fp4"};
  add_figures(page, result, Workload::gemm, "gemm", figures(all.gemm_tflop_per_s, dtypes), "TFLOP/s");
  add_figures(page, result, Workload::conv, "conv", figures(all.conv_tflop_per_s, dtypes), "TFLOP/s");
  add_figures(page, result, Workload::bandwidth, "memory",
              figures(all.bandwidth_gb_per_s, {"triad", "copy", "read", "l1", "l2", "l3"}), "GB/s");
  page.blank();
  for (const Reason& reason : result.reasons) page.prose("!", printable(reason.message), kYellow);
  for (const Verdict& verdict : result.verdicts) {
    page.prose("!", printable(fmt::format("{}: {}", verdict.message, verdict.remedy)), kYellow);
  }
  if (result.reasons.empty() && result.verdicts.empty())
    page.prose("verdict", "nothing suspicious, every output verified");
  page.prose("saved", context.saved_as);
  for (const std::string& note : context.notes) page.prose("", printable(note));
  if (!context.next_command.empty()) page.prose("next", context.next_command);
  return page.take();
}

}  // namespace gpuassay
