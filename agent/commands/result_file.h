// Result files named on the command line.
#pragma once

#include <filesystem>
#include <string>

#include "agent/environment.h"
#include "core/model.h"

namespace gpuassay {

/// The text of `name`: a file, or the run id of a result in the data directory. Throws Error{unreadable_input}
/// saying what was looked for; a file larger than 16 MiB is refused.
std::string read_result_text(const std::filesystem::path& name, const Environment& environment);

/// read_result_text() as a Result. Throws Error{unreadable_input} naming `name` when it is none.
Result read_result(const std::filesystem::path& name, const Environment& environment);

/// Throws Error{usage} when `path` could not be written later: checked before measuring, so that minutes are not
/// spent on a typing error. Leaves nothing behind and does not change an existing file.
void require_writable(const std::filesystem::path& path);

/// Writes `body` and a newline to `path`, replacing it as a whole. Throws Error{not_saved}.
void write_result_file(const std::filesystem::path& path, const std::string& body);

}  // namespace gpuassay
