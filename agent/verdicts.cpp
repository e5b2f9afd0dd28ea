#include "agent/verdicts.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "agent/verdicts_clock.h"
#include "agent/verdicts_gpu.h"
#include "agent/verdicts_health.h"
#include "agent/verdicts_host.h"
#include "agent/verdicts_identity.h"
#include "agent/verdicts_speed.h"
#include "core/error.h"
#include "core/operations.h"

namespace gpuassay {
namespace {

/// Above this share of stolen CPU time the figures are visibly lower than the machine's own.
constexpr double kStealLimit = 0.02;
/// A quiet machine repeats long operations within one or two per cent.
constexpr double kNoiseLimit = 0.05;
/// Bytes of a case's reason that a verdict repeats.
constexpr std::size_t kReasonShown = 130;
/// Operations this short (ns) spread on any machine; they say nothing about a neighbour.
constexpr double kShortOperationNs = 1e6;

std::size_t count_status(const Result& result, CaseStatus status) {
  return static_cast<std::size_t>(std::count_if(result.measurements.begin(), result.measurements.end(),
                                                [status](const Measurement& m) { return m.status == status; }));
}

const Measurement* first_with(const Result& result, CaseStatus status) {
  const auto found = std::find_if(result.measurements.begin(), result.measurements.end(),
                                  [status](const Measurement& m) { return m.status == status; });
  return found == result.measurements.end() ? nullptr : &*found;
}

/// Whether a case was left out for what the machine lacks now, and no other verdict or reason says so.
bool left_out(const Measurement& m) {
  if (m.status != CaseStatus::skipped || !m.reason) return false;
  const bool library_absent = m.reason->find("gpuassay doctor names the package") != std::string::npos;
  return (m.reason->starts_with("unsupported") && !library_absent) || m.reason->starts_with("out_of_memory");
}

/// A few formats or shapes lack on many a card; a tenth of the plan does not.
void judge_skipped(const Result& result, std::vector<Verdict>& verdicts) {
  constexpr std::size_t kManyOf = 10;
  const auto count =
      static_cast<std::size_t>(std::count_if(result.measurements.begin(), result.measurements.end(), left_out));
  if (count * kManyOf <= result.measurements.size()) return;
  const Measurement& first = *std::find_if(result.measurements.begin(), result.measurements.end(), left_out);
  const bool memory = first.reason->starts_with("out_of_memory");
  verdicts.push_back({"cases_skipped", std::nullopt,
                      fmt::format("{} of {} cases were left out, first {} ({})", count, result.measurements.size(),
                                  first.id, first.reason->substr(0, kReasonShown)),
                      memory ? "nvidia-smi shows who uses the memory; end it and run again"
                             : "gpuassay doctor says which libraries serve this machine"});
}

/// One for each device that broke, with the first thing that showed it.
void judge_hardware(const Result& result, std::vector<Verdict>& verdicts) {
  std::set<std::optional<int>> told;
  for (const Reason& reason : result.reasons) {
    if (reason.code != name_of(ErrorCode::hardware_fault) || !told.insert(reason.device).second) continue;
    verdicts.push_back({reason.code, reason.device, reason.message,
                        "the hardware is failing: give this machine back and report it with this file"});
  }
}

void judge_steal(const Result& result, std::vector<Verdict>& verdicts) {
  double weighted = 0;
  double seconds = 0;
  for (const Measurement& m : result.measurements) {
    if (!m.telemetry || !m.telemetry->steal_fraction || !m.seconds_under_load) continue;
    weighted += *m.telemetry->steal_fraction * *m.seconds_under_load;
    seconds += *m.seconds_under_load;
  }
  if (seconds == 0 || weighted / seconds < kStealLimit) return;
  verdicts.push_back(
      {"contended", std::nullopt,
       fmt::format("the hypervisor gave {:.0f} % of the CPU time to others meanwhile", 100 * weighted / seconds),
       "run again at another hour; if it stays, the instance is oversubscribed"});
}

/// A figure that the report shows first.
bool is_headline(const Measurement& m) {
  if (!m.device) return false;  // what is around the devices
  if (is_square_gemm(m.params)) return true;
  const auto* bandwidth = std::get_if<BandwidthParams>(&m.params);
  return bandwidth != nullptr && bandwidth->level == MemoryLevel::dram;
}

/// Disks and networks serve many machines, or sync: their spread says nothing of this one.
bool is_shared_by_nature(const Measurement& m) {
  return m.workload == Workload::disk || m.workload == Workload::network;
}

void judge_noise(const Result& result, std::vector<Verdict>& verdicts) {
  std::size_t noisy = 0;
  std::size_t judged = 0;
  double worst = 0;
  bool noisy_headline = false;
  for (const Measurement& m : result.measurements) {
    if (m.status != CaseStatus::ok || *m.median_ns < kShortOperationNs || is_shared_by_nature(m)) continue;
    ++judged;
    if (*m.noise <= kNoiseLimit) continue;
    ++noisy;
    worst = std::max(worst, *m.noise);
    // The memory around a GPU is no headline of that machine.
    noisy_headline = noisy_headline || (m.device && is_headline(m));
  }
  constexpr double kManyOf = 0.1;
  const bool many = judged > 0 && static_cast<double>(noisy) >= kManyOf * static_cast<double>(judged);
  if (!many && !noisy_headline) return;
  verdicts.push_back({"noisy", std::nullopt,
                      fmt::format("{} of {} long cases spread by more than {:.0f} % (worst {:.0f} %)", noisy, judged,
                                  100 * kNoiseLimit, 100 * worst),
                      "stop other programs on this machine and run again"});
}

}  // namespace

std::vector<Verdict> judge(const Result& result) {
  std::vector<Verdict> verdicts;
  judge_hardware(result, verdicts);
  if (const Measurement* wrong = first_with(result, CaseStatus::wrong_result)) {
    verdicts.push_back({"wrong_result", wrong->device,
                        fmt::format("{} cases computed wrong values, first {}",
                                    count_status(result, CaseStatus::wrong_result), wrong->id),
                        "do not use this machine for work; report it to the provider with this file"});
  }
  if (const Measurement* failed = first_with(result, CaseStatus::failed)) {
    verdicts.push_back({"case_failed", failed->device,
                        fmt::format("{} cases failed, first {} ({})", count_status(result, CaseStatus::failed),
                                    failed->id, failed->reason.value_or("no reason").substr(0, kReasonShown)),
                        "see their reasons with: gpuassay show RESULT --json"});
  }
  judge_health(result, verdicts);
  judge_identity(result, verdicts);
  judge_gpus(result, verdicts);
  judge_skipped(result, verdicts);
  judge_speed(result, verdicts);
  judge_host(result, verdicts);
  judge_clock(result, verdicts);
  judge_steal(result, verdicts);
  judge_noise(result, verdicts);
  return verdicts;
}

}  // namespace gpuassay
