#include "agent/exit_code.h"

#include <algorithm>

namespace gpuassay {

int exit_code_for(const Result& result, const RunOutcome& outcome) {
  const auto any = [&](CaseStatus status) {
    return std::any_of(result.measurements.begin(), result.measurements.end(),
                       [status](const Measurement& m) { return m.status == status; });
  };
  const bool cut_off = !result.reasons.empty();
  if (!any(CaseStatus::ok) && !any(CaseStatus::wrong_result) && !cut_off) return kExitNothingMeasurable;
  const bool broken = std::any_of(result.reasons.begin(), result.reasons.end(), [](const Reason& reason) {
    return reason.code == name_of(ErrorCode::hardware_fault);
  });
  if (broken || any(CaseStatus::wrong_result)) return kExitWrongResult;
  if (!outcome.saved || outcome.upload_failed) return kExitNotSaved;
  if (outcome.falls_short) return kExitRequirement;
  if (result.status != RunStatus::complete || any(CaseStatus::failed)) return kExitPartial;
  return kExitOk;
}

int exit_code_for(const Error& error) {
  switch (error.code()) {
    case ErrorCode::usage:
    case ErrorCode::unreadable_input: return kExitUsage;
    case ErrorCode::nothing_measurable:
    case ErrorCode::library_missing:
    case ErrorCode::unsupported:
    case ErrorCode::busy: return kExitNothingMeasurable;
    case ErrorCode::not_saved:
    case ErrorCode::network:
    case ErrorCode::refused:
    case ErrorCode::database: return kExitNotSaved;
    case ErrorCode::library_failed:
    case ErrorCode::out_of_memory: return kExitPartial;
    case ErrorCode::hardware_fault: return kExitWrongResult;
    case ErrorCode::internal: return kExitInternal;
  }
  return kExitInternal;
}

}  // namespace gpuassay
