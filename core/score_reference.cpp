#include "core/score_reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/csv.h"
#include "core/enums.h"
#include "core/error.h"
#include "embedded/ScoreReference.h"

namespace gpuassay {

std::vector<ScoreReference> parse_score_references(std::string_view csv) {
  const CsvTable table = CsvTable::parse(csv);
  std::vector<ScoreReference> references;
  for (std::size_t row = 0; row < table.row_count(); ++row) {
    const auto refuse = [&](std::string_view what) {
      throw Error(ErrorCode::unreadable_input,
                  fmt::format("line {} of the score's references: {}", table.line_of(row), what));
    };
    ScoreReference reference;
    reference.gpu = table.cell(row, "gpu");
    reference.workload = table.cell(row, "workload");
    reference.source = table.cell(row, "source");
    if (reference.gpu.empty() || reference.workload.empty() || reference.source.empty()) refuse("a cell is empty");
    const auto precision = from_name<WorkloadPrecision>(table.cell(row, "precision"));
    if (!precision) refuse("precision is neither full nor mixed");
    reference.precision = *precision;
    const std::string figure(table.cell(row, "samples_per_s"));
    char* end = nullptr;
    reference.samples_per_s = std::strtod(figure.c_str(), &end);
    if (figure.empty() || *end != '\0' || !std::isfinite(reference.samples_per_s) || reference.samples_per_s <= 0)
      refuse("samples_per_s is not a positive number");
    references.push_back(std::move(reference));
  }
  return references;
}

const std::vector<ScoreReference>& score_references() {
  static const std::vector<ScoreReference> kReferences = parse_score_references(embedded::kScoreReference);
  return kReferences;
}

std::optional<double> reference_samples_per_s(std::string_view gpu, std::string_view workload,
                                              WorkloadPrecision precision) {
  const auto& all = score_references();
  const auto found = std::find_if(all.begin(), all.end(), [&](const ScoreReference& each) {
    return each.gpu == gpu && each.workload == workload && each.precision == precision;
  });
  return found == all.end() ? std::nullopt : std::optional(found->samples_per_s);
}

}  // namespace gpuassay
