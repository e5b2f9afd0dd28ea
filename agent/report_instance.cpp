#include "agent/report_instance.h"

#include <fmt/format.h>

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/report_figures.h"
#include "core/enums.h"
#include "core/workload_reader.h"

namespace gpuassay {
namespace {

std::vector<std::string> training_words(const InstanceWorkload& row) {
  const TracedWorkload* const traced = find_workload(row.name);
  std::vector<std::string> words{
      fmt::format("{} {}:", printable(row.name), row.precision),
      fmt::format("{} {}/s", short_number(*row.samples_per_s), traced != nullptr ? traced->unit : "samples"),
      fmt::format("({} to {})", short_number(row.low.value_or(*row.samples_per_s)),
                  short_number(row.high.value_or(*row.samples_per_s)))};
  std::string share;
  if (row.scaling_efficiency) share = fmt::format("{:.0f} % of each alone", 100 * *row.scaling_efficiency);
  if (row.exposed_communication_share)
    share += fmt::format("{}{:.1f} % waiting for gradients", share.empty() ? "" : ", ",
                         100 * *row.exposed_communication_share);
  if (!share.empty()) words.push_back(std::move(share));
  return words;
}

}  // namespace

void add_instance_lines(TextPage& page, const Result& result) {
  std::string_view label = "together";
  std::set<std::string> reasons;
  const std::vector<InstanceWorkload>& rows = result.summary.instance.workloads;
  for (std::size_t at = 0; at < rows.size(); ++at) {
    const InstanceWorkload& row = rows[at];
    const bool mixed = at + 1 == rows.size() || rows[at + 1].name != row.name;
    if (!mixed || row.workload_class != WorkloadClass::train) continue;
    if (row.samples_per_s) {
      page.line(std::exchange(label, ""), training_words(row));
    } else if (row.reason && reasons.insert(*row.reason).second) {
      page.prose(std::exchange(label, ""), fmt::format("training unknown: {}", printable(*row.reason)));
    }
  }
}

}  // namespace gpuassay
