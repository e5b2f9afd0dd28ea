#include "agent/journal_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/assemble.h"
#include "core/error.h"
#include "core/json_guard.h"
#include "core/result_json.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

/// Longer than any run: a damaged number above it must not move finished_at by years.
constexpr double kLongestRunS = 1e6;

}  // namespace

std::string journal_first_line(const Result& begun) { return canonical_json(begun); }

std::string journal_case_line(const Measurement& finished, double elapsed_s) {
  return nlohmann::json{{"elapsed_s", elapsed_s}, {"measurement", to_json(finished)}}.dump();
}

Result result_of_killed_run(const std::string& run_id, const std::vector<std::string>& lines) {
  if (lines.empty()) throw Error(ErrorCode::unreadable_input, "the journal of run " + run_id + " is empty");
  Result begun = parse_result(lines.front());
  if (begun.run_id != run_id) {
    throw Error(ErrorCode::unreadable_input, "the journal of run " + run_id + " is that of another run");
  }
  RunEnd end;
  std::size_t unreadable = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    try {
      const nlohmann::json record = parse_untrusted_json(lines[i], JsonLimits{});
      const double elapsed_s = record.at("elapsed_s").get<double>();
      if (!(elapsed_s >= 0 && elapsed_s <= kLongestRunS)) throw Error(ErrorCode::unreadable_input, "elapsed_s");
      end.raw_measurements.push_back(measurement_from_json(record.at("measurement")));
      end.duration_s = std::max(end.duration_s, elapsed_s);
    } catch (const std::exception&) {
      ++unreadable;
    }
  }
  end.finished_at =
      format_rfc3339_ms(parse_rfc3339_ms(begun.started_at) + static_cast<std::int64_t>(end.duration_s * 1000));
  end.reasons.push_back({"killed",
                         fmt::format("the run was killed; {} finished cases were kept{}", end.raw_measurements.size(),
                                     unreadable == 0 ? "" : fmt::format(", {} lines were unreadable", unreadable)),
                         std::nullopt});
  return finish_result(std::move(begun), std::move(end));
}

}  // namespace gpuassay
