// The summary a person reads in ten seconds. Pure: a result in, text out.
#pragma once

#include <string>
#include <vector>

#include "agent/text_page.h"
#include "agent/text_style.h"
#include "core/model.h"

namespace gpuassay {

/// What the report says about the run besides the document.
struct ReportContext {
  std::string saved_as;            ///< path, or why it was not saved
  std::vector<std::string> notes;  ///< further lines, e.g. what became of an upload
  std::string next_command;        ///< the next useful command
};

/// Score first, then per dollar, headline figures with noise, anything suspicious with its remedy, where the result
/// is, what to do next. Lines are at most style.columns wide unless a path is longer. Ends with a newline. Control
/// characters of the document never reach the terminal.
std::string render_report(const Result& result, const ReportContext& context, const TextStyle& style);

}  // namespace gpuassay
