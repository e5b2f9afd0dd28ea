// The lines of a run's journal: first the document as it began, then one line per finished case. From them a killed
// run becomes a partial result at the next start. Pure text in, values out.
#pragma once

#include <string>
#include <vector>

#include "core/model.h"

namespace gpuassay {

std::string journal_first_line(const Result& begun);
std::string journal_case_line(const Measurement& finished, double elapsed_s);

/// The partial result of a run whose process was killed, with the reason `killed`; everything in it is recomputed
/// from the measurements. Throws Error{unreadable_input} when the first line is not a begun result of `run_id`;
/// later lines that cannot be read are left out and counted in the reason.
Result result_of_killed_run(const std::string& run_id, const std::vector<std::string>& lines);

}  // namespace gpuassay
